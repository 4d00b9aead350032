/** Row-major strides of a shape, in elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Strides of `shape` when read as `target`: 0 along the axes it is repeated on. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = rowMajor(shape);
  const lead = target.length - shape.length;
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]!));
}

/** One axis of a loop over several operands. */
export interface LoopAxis {
  readonly extent: number;
  readonly strides: readonly number[];
}

/** Joins neighbouring axes that every operand walks as one, and drops axes of extent 1; at least one axis stays. */
export function collapse(shape: readonly number[], operands: readonly (readonly number[])[]): LoopAxis[] {
  const axes: LoopAxis[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!;
    if (extent === 1) continue;
    const strides = operands.map((operand) => operand[axis]!);
    const outer = axes.at(-1);
    if (outer && strides.every((stride, i) => outer.strides[i] === stride * extent))
      axes[axes.length - 1] = { extent: outer.extent * extent, strides };
    else axes.push({ extent, strides });
  }
  return axes.length > 0 ? axes : [{ extent: 1, strides: operands.map(() => 0) }];
}
