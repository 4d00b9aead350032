import { ArgumentError, ShapeError } from "../errors.ts";
import { packBytes, packFromF32 } from "./packing.ts";
import { engine } from "./engine.ts";
import { currentBackend } from "./registry.ts";
import { runKernel } from "./run.ts";
import type { DType, PackedFormat, Tensor, TensorValues } from "./types.ts";

/** Number of elements of a shape. */
export function sizeOfShape(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0)
      throw new ShapeError(`shape: extents must be integers >= 0, got [${shape.join(", ")}]`);
    size *= extent;
  }
  return size;
}

/**
 * A tensor from values, on the backend that is set.
 * @param values flat, row-major; copied.
 * @throws ShapeError when the number of values is not the size of the shape.
 */
export function tensor(
  values: TensorValues | readonly number[],
  shape: readonly number[] = [values.length],
  dtype?: DType,
): Tensor {
  currentBackend();
  const type = dtype ?? (values instanceof Int32Array ? "int32" : "float32");
  const size = sizeOfShape(shape);
  if (values.length !== size)
    throw new ShapeError(
      `tensor: values must have ${size} elements for shape [${shape.join(", ")}], got ${values.length}`,
    );
  const typed = type === "float32" ? toTyped(values, Float32Array) : toTyped(values, Int32Array);
  return engine().makeTensor(typed, shape, type);
}

function toTyped<T extends Float32Array | Int32Array>(
  values: ArrayLike<number>,
  Type: { new (n: ArrayLike<number>): T },
): T {
  return values instanceof Type ? values : new Type(values);
}

/** A scalar (shape []). */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  return full([], value, dtype);
}

/** A tensor of one repeated value, filled on the device. */
export function full(shape: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  sizeOfShape(shape);
  return runKernel("full", {}, { shape: [...shape], value, dtype })[0]!;
}

/** A tensor of zeros. */
export function zeros(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones. */
export function ones(shape: readonly number[], dtype: DType = "float32"): Tensor {
  return full(shape, 1, dtype);
}

/** `size` int32 numbers from `start` in steps of `step`. */
export function range(start: number, size: number, step = 1): Tensor {
  return tensor(Int32Array.from({ length: size }, (_, i) => start + i * step));
}

/**
 * A weight in packed storage (see `StorageFormat`): an operand for `linear` and `embedding`, outside the tape.
 * @throws ArgumentError when the last axis does not divide into blocks of 32 (q8, q4).
 */
export function packWeight(values: Float32Array, shape: readonly number[], format: PackedFormat): Tensor {
  if (values.length !== sizeOfShape(shape))
    throw new ShapeError(
      `packWeight: values must have ${sizeOfShape(shape)} elements for shape [${shape.join(", ")}], got ${values.length}`,
    );
  return packedWeight(packFromF32(values, shape, format), shape, format);
}

/** A packed weight from its canonical bytes, as a quantised checkpoint holds them. @throws ArgumentError for a wrong number of bytes. */
export function packedWeight(canonical: Uint8Array, shape: readonly number[], format: PackedFormat): Tensor {
  const expected = packBytes(shape, format);
  if (canonical.byteLength !== expected)
    throw new ArgumentError(
      `packedWeight: ${format} of shape [${shape.join(", ")}] takes ${expected} bytes, got ${canonical.byteLength}`,
    );
  return engine().makeTensorFromTensorInfo(currentBackend().pack(canonical, shape, format));
}

/** Reads a float32 tensor back. */
export async function readFloats(t: Tensor): Promise<Float32Array> {
  return (await engine().read(t.dataId)) as Float32Array;
}

/** Reads an int32 tensor back. */
export async function readInts(t: Tensor): Promise<Int32Array> {
  return (await engine().read(t.dataId)) as Int32Array;
}

/** Overwrites a tensor's values where they lie: how one feeds a captured graph. @throws BackendError for a wrong number of values. */
export function writeInto(t: Tensor, values: TensorValues): void {
  currentBackend().writeInto(t, values);
}

/** Disposes what `fn` made and did not return. */
export function tidy<T>(fn: () => T): T {
  return engine().tidy(fn);
}

/** Keeps a tensor through the scopes it is in; the caller disposes it. */
export function keep(t: Tensor): Tensor {
  return engine().keep(t);
}

/** Live tensors and their bytes, over all backends. */
export function memory(): { tensors: number; bytes: number } {
  const { numTensors, numBytes } = engine().memory();
  return { tensors: numTensors, bytes: numBytes };
}
