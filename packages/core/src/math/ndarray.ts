import { ShapeError } from "../errors.ts";

/**
 * A dense float64 array in row-major order: what the reference ops compute on.
 * A complex array carries a last axis of 2 (re, im).
 */
export interface NdArray {
  shape: number[];
  data: Float64Array;
}

/** Number of elements of a shape; 1 for a scalar (the empty shape). */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Row-major strides, in elements, of a shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/**
 * Wraps or copies values as a float64 array.
 * A Float64Array is kept, not copied; anything else is converted.
 * @throws ShapeError when the number of values is not the size of the shape.
 */
export function ndarray(shape: readonly number[], values: ArrayLike<number>): NdArray {
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(
      `ndarray: values must have ${sizeOf(shape)} elements for shape [${shape.join(", ")}], got ${values.length}`,
    );
  }
  return { shape: [...shape], data: values instanceof Float64Array ? values : Float64Array.from(values) };
}

/** A new array of zeros. */
export function ndzeros(shape: readonly number[]): NdArray {
  return { shape: [...shape], data: new Float64Array(sizeOf(shape)) };
}

/** A new array whose element at flat index `i` is `value(i)`. */
export function ndfill(shape: readonly number[], value: (index: number) => number): NdArray {
  const out = ndzeros(shape);
  for (let i = 0; i < out.data.length; i++) out.data[i] = value(i);
  return out;
}

/** A copy that shares nothing with its source. */
export function ndclone(source: NdArray): NdArray {
  return { shape: [...source.shape], data: source.data.slice() };
}

/** The same data rounded to float32 and back: the exact inputs a backend sees. */
export function ndround32(source: NdArray): NdArray {
  return { shape: [...source.shape], data: Float64Array.from(source.data, Math.fround) };
}
