import { ndarray, sizeOf, stridesOf, type NdArray } from "../math/ndarray.ts";
import { broadcastShape } from "./shapes.ts";

/** f of every element. */
export function mapArray(x: NdArray, f: (value: number) => number): NdArray {
  return ndarray(x.shape, x.data.map(f));
}

/** Index of an element of a broadcast shape in an operand. */
export function broadcastIndex(index: number, shape: readonly number[], operand: readonly number[]): number {
  const strides = stridesOf(shape);
  const own = stridesOf(operand);
  const lead = shape.length - operand.length;
  return operand.reduce(
    (at, extent, i) => at + (extent === 1 ? 0 : (Math.floor(index / strides[i + lead]!) % shape[i + lead]!) * own[i]!),
    0,
  );
}

/** f of every pair of elements of two arrays that broadcast. */
export function zipArrays(a: NdArray, b: NdArray, f: (x: number, y: number) => number): NdArray {
  const shape = broadcastShape("reference", a.shape, b.shape);
  return ndarray(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      f(a.data[broadcastIndex(i, shape, a.shape)]!, b.data[broadcastIndex(i, shape, b.shape)]!),
    ),
  );
}

/** An array built element by element: `source` tells where in x each comes from; nowhere gives `fill`. */
export function gatherBy(
  shape: readonly number[],
  x: NdArray,
  source: (at: readonly number[]) => readonly number[] | undefined,
  fill = 0,
): NdArray {
  const strides = stridesOf(shape);
  const own = stridesOf(x.shape);
  return ndarray(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const from = source(shape.map((extent, axis) => Math.floor(i / strides[axis]!) % extent));
      return from === undefined ? fill : x.data[from.reduce((at, k, axis) => at + k * own[axis]!, 0)]!;
    }),
  );
}
