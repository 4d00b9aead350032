/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** `neg` to `Neg`, as a kernel's name goes on in C: `unaryNeg`. */
export function capital<Name extends string>(name: Name): Capitalize<Name> {
  return (name[0]!.toUpperCase() + name.slice(1)) as Capitalize<Name>;
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** A shape seen as [outer, extent of `axis`, inner]. */
export function aroundAxis(shape: readonly number[], axis: number): { outer: number; count: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), count: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Axes that step through several arrays together: one extent and one stride an array. */
export interface Axis {
  extent: number;
  strides: number[];
}

/** Drops axes of extent 1 and merges neighbours that every array walks through without a jump. */
export function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.extent === 1) continue;
    const last = merged.at(-1);
    if (last && last.strides.every((stride, i) => stride === axis.strides[i]! * axis.extent)) {
      last.extent *= axis.extent;
      last.strides = axis.strides;
    } else merged.push({ extent: axis.extent, strides: [...axis.strides] });
  }
  return merged;
}

/** Axes of two arrays as kernels take them: extents, strides of the first, strides of the second. */
export function listAxes(axes: readonly Axis[]): { rank: number; axes: number[] } {
  const list: number[] = [];
  for (const { extent } of axes) list.push(extent);
  for (let array = 0; array < 2; array++) for (const { strides } of axes) list.push(strides[array]!);
  return { rank: axes.length, axes: list };
}
