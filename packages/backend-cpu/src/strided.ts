/** Values of a tensor as the CPU holds them; bool and int32 are both Int32Array. */
export type Numbers = Float32Array | Int32Array;

/** Row-major strides of a shape, in elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Strides of `shape` seen as its broadcast to `out`: 0 where an extent of 1 is repeated. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const own = rowMajor(shape);
  const lead = out.length - shape.length;
  return out.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]!));
}

/** Loops over a shape with one stride list an operand, neighbouring axes joined wherever every operand allows it. */
export interface Loop {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Makes a loop; a scalar counts as one axis of extent 1. */
export function makeLoop(shape: readonly number[], strides: readonly (readonly number[])[]): Loop {
  const extents: number[] = [];
  const joined: number[][] = strides.map(() => []);
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    const fits = last >= 0 && strides.every((own, i) => joined[i]![last] === own[axis]! * extent);
    if (fits) {
      extents[last]! *= extent;
      strides.forEach((own, i) => (joined[i]![last] = own[axis]!));
    } else {
      extents.push(extent);
      strides.forEach((own, i) => joined[i]!.push(own[axis]!));
    }
  });
  if (extents.length === 0) return { shape: [1], strides: strides.map(() => [0]) };
  return { shape: extents, strides: joined };
}

/** Calls `visit` once for every run along the last axis, with each operand's offset at the start of the run. */
export function eachRun({ shape, strides }: Loop, visit: (at: readonly number[]) => void): void {
  if (shape.includes(0)) return;
  const outer = shape.length - 1;
  const index = new Array<number>(outer).fill(0);
  const at = strides.map(() => 0);
  for (;;) {
    visit(at);
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      index[axis]!++;
      strides.forEach((own, i) => (at[i]! += own[axis]!));
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
      strides.forEach((own, i) => (at[i]! -= own[axis]! * shape[axis]!));
    }
    if (axis < 0) return;
  }
}

/** A part of an array: element (i, j, ..) lies at offset + i strides[0] + j strides[1] + .. */
export interface Part {
  readonly data: Numbers;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Copies one part onto another of the same shape; strides may be 0 (repeat) or negative (reverse) in the source. */
export function copyPart(shape: readonly number[], from: Part, to: Part): void {
  const loop = makeLoop(shape, [from.strides, to.strides]);
  const run = loop.shape.at(-1)!;
  const stepFrom = loop.strides[0]!.at(-1)!;
  const stepTo = loop.strides[1]!.at(-1)!;
  const { data: source, offset: fromOffset } = from;
  const { data: target, offset: toOffset } = to;
  eachRun(loop, ([a, b]) => {
    let p = fromOffset + a!;
    let q = toOffset + b!;
    for (let i = 0; i < run; i++, p += stepFrom, q += stepTo) target[q] = source[p]!;
  });
}
