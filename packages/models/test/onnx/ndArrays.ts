/** Values in float64; whole numbers too. */
export interface Nd {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const nd = (shape: readonly number[], data: ArrayLike<number>): Nd => ({ shape, data: Float64Array.from(data) });
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** A new array, each element from its index. */
export function build(shape: readonly number[], f: (index: readonly number[]) => number): Nd {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = f(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, data };
}

export const at = ({ shape, data }: Nd, index: readonly number[]): number => {
  let place = 0;
  stridesOf(shape).forEach((stride, axis) => (place += stride * index[axis]!));
  return data[place]!;
};
