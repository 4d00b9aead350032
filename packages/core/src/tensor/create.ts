import { refuseUnknown } from "../options/index.ts";
import { chosenBackend, type BackendChoice } from "../backend/current.ts";
import { packBytes, packFromF32 } from "../backend/packing.ts";
import type { AnyBackend } from "../backend/registry.ts";
import type { DType, PackedFormat, TensorInfo, TensorValues } from "../backend/types.ts";
import { ArgumentError, OutOfMemoryError, BackendError, ShapeError } from "../errors.ts";
import { enterCapture } from "./capturing.ts";
import { forgetIds, noteIds } from "./idRange.ts";
import { runKernel } from "./run.ts";
import { wrap } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

/** Where a tensor is made. */
export interface PlaceOptions {
  /** The backend, or the name of one that runs; by default the one that is set. `{ backend: x.backend }` stays beside x. */
  readonly backend?: BackendChoice | undefined;
}

/** Of what dtype a tensor is made, and where. */
export interface TensorOptions extends PlaceOptions {
  readonly dtype?: DType | undefined;
}

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
 * A tensor from values, on the backend that is set unless told otherwise.
 * @param values flat, row-major; copied.
 * @param options a dtype (by default int32 for an Int32Array, else float32), or `{ dtype, backend }`.
 * @throws ShapeError when the number of values is not the size of the shape; ArgumentError for an unknown option; BackendError for
 * a backend that does not run.
 */
export function tensor(
  values: TensorValues | readonly number[],
  shape: readonly number[] = [values.length],
  options?: DType | TensorOptions,
): Tensor {
  const { dtype, backend } = readOptions("tensor", options);
  const type = dtype ?? (values instanceof Int32Array ? "int32" : "float32");
  const size = sizeOfShape(shape);
  if (values.length !== size)
    throw new ShapeError(
      `tensor: values must have ${size} elements for shape [${shape.join(", ")}], got ${values.length}`,
    );
  enterCapture("tensor", backend);
  const own = [...shape];
  const dataId = backend.write(values, own, type);
  if (type === "int32") noteIds(dataId, values instanceof Int32Array ? values : Int32Array.from(values));
  return wrap({ dataId, shape: own, dtype: type }, backend);
}

const TENSOR_OPTIONS = ["dtype", "backend"];

function readOptions(
  creator: string,
  options: DType | TensorOptions | undefined,
  known: readonly string[] = TENSOR_OPTIONS,
): { dtype: DType | undefined; backend: AnyBackend } {
  if (typeof options !== "object") return { dtype: options, backend: chosenBackend(undefined) };
  refuseUnknown(creator, options, known, { device: "backend", type: "dtype" });
  return { dtype: options.dtype, backend: chosenBackend(options.backend) };
}

/** A scalar (shape []). */
export function scalar(value: number, options?: DType | TensorOptions): Tensor {
  return fill("scalar", [], value, options);
}

/** A tensor of one repeated value, filled on the device where the backend has a kernel for that. */
export function full(shape: readonly number[], value: number, options?: DType | TensorOptions): Tensor {
  return fill("full", shape, value, options);
}

/** A tensor of zeros. */
export function zeros(shape: readonly number[], options?: DType | TensorOptions): Tensor {
  return fill("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: readonly number[], options?: DType | TensorOptions): Tensor {
  return fill("ones", shape, 1, options);
}

function fill(creator: string, shape: readonly number[], value: number, options?: DType | TensorOptions): Tensor {
  const { dtype = "float32", backend } = readOptions(creator, options);
  const size = sizeOfShape(shape);
  if (backend.kernels["full"] === undefined)
    return tensor(hostArray(creator, Float32Array, size).fill(value), shape, { dtype, backend });
  return runKernel("full", {}, { shape: [...shape], value, dtype }, undefined, backend)[0]!;
}

/** Values on the host, as many as are asked for. @throws OutOfMemoryError where the engine has no room for them. */
function hostArray<T>(creator: string, Values: new (size: number) => T, size: number): T {
  try {
    return new Values(size);
  } catch (error) {
    throw new OutOfMemoryError(`${creator}: no room for ${size} values`, { cause: error });
  }
}

/**
 * `size` int32 numbers from `start` in steps of `step`.
 * @throws ArgumentError for numbers that are not whole or that int32 does not hold; OutOfMemoryError.
 */
export function range(start: number, size: number, step = 1, options: PlaceOptions = {}): Tensor {
  refuseUnknown("range", options, ["backend"], { device: "backend" });
  sizeOfShape([size]);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(step))
    throw new ArgumentError(`range: start and step must be whole numbers, got ${start} and ${step}`);
  const last = start + Math.max(0, size - 1) * step;
  for (const end of size > 0 ? [start, last] : [])
    if (end !== (end | 0)) throw new ArgumentError(`range: its numbers must be int32, got ${start} to ${last}`);
  const ids = hostArray("range", Int32Array, size);
  for (let i = 0; i < size; i++) ids[i] = start + i * step;
  return tensor(ids, [size], options);
}

/**
 * A weight in packed storage (see `StorageFormat`): an operand for `linear` and `embedding`, outside the tape.
 * @throws ArgumentError when the last axis does not divide into blocks of 32 (q8, q4).
 */
export function packWeight(
  values: Float32Array,
  shape: readonly number[],
  format: PackedFormat,
  options?: PlaceOptions,
): Tensor {
  if (values.length !== sizeOfShape(shape))
    throw new ShapeError(
      `packWeight: values must have ${sizeOfShape(shape)} elements for shape [${shape.join(", ")}], got ${values.length}`,
    );
  return packedWeight(packFromF32(values, shape, format), shape, format, options);
}

/** A packed weight from its canonical bytes, as a quantised checkpoint holds them. @throws ArgumentError for a wrong number of bytes. */
export function packedWeight(
  canonical: Uint8Array,
  shape: readonly number[],
  format: PackedFormat,
  options: PlaceOptions = {},
): Tensor {
  const expected = packBytes(shape, format);
  if (canonical.byteLength !== expected)
    throw new ArgumentError(
      `packedWeight: ${format} of shape [${shape.join(", ")}] takes ${expected} bytes, got ${canonical.byteLength}`,
    );
  const { backend } = readOptions("packedWeight", options, ["backend"]);
  enterCapture("packedWeight", backend);
  return wrapPacked(backend.pack(canonical, [...shape], format), backend);
}

/** A tensor of a weight that is packed, which takes fewer bytes than its elements say. */
export function wrapPacked(info: TensorInfo, backend: AnyBackend): Tensor {
  return wrap(info, backend, backend.bytesOf(info));
}

/** Reads a packed weight back in its canonical form, from which `packedWeight` makes it again. @throws BackendError for one that is not packed. */
export async function readPacked(t: Tensor): Promise<Uint8Array> {
  if (t.isDisposed) throw new BackendError("readPacked: the tensor was disposed");
  return t.backend.readPacked(t);
}

/** Reads a float32 tensor back. @throws BackendError when it was disposed. */
export async function readFloats(t: Tensor): Promise<Float32Array> {
  return (await t.data()) as Float32Array;
}

/** Reads an int32 tensor back. @throws BackendError when it was disposed. */
export async function readInts(t: Tensor): Promise<Int32Array> {
  return (await t.data()) as Int32Array;
}

/** Overwrites a tensor's values where they lie: how one feeds a captured graph. @throws BackendError for a wrong number of values. */
export function writeInto(t: Tensor, values: TensorValues): void {
  if (t.isDisposed) throw new BackendError("writeInto: the tensor was disposed");
  enterCapture("writeInto", t.backend);
  forgetIds(t);
  t.backend.writeInto(t, values);
}
