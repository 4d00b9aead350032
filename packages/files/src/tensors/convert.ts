import { FormatError } from "@statespace/core";
import { blockOf, isBlockType, type StoredType } from "./blockTypes.ts";
import { dequantize } from "./dequantize.ts";
import { DTYPE_BYTES, type FloatStorage, type ElementType } from "./dtype.ts";
import { f16ToF32Table, f32BitsToBf16Bits, f32BitsToF16Bits, f8E4M3ToNumber, f8E5M2ToNumber } from "./floatBits.ts";

/** Raw tensor data: little-endian elements, or the blocks they are stored in, in row-major order. */
export interface RawTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

type ElementArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/**
 * The tensor's elements as float32. Integers and F64 are rounded to nearest.
 * The result never shares memory with `tensor.bytes`.
 * @param target where they go, if it is large enough
 * Errors: {@link FormatError} if the byte length does not fit the dtype.
 */
export function toFloat32Array(tensor: RawTensor, target?: Float32Array): Float32Array {
  const { dtype } = tensor;
  const length = elementLength(tensor);
  const result =
    target !== undefined && target.length >= length ? target.subarray(0, length) : new Float32Array(length);
  if (isBlockType(dtype)) dequantize(dtype, tensor.bytes, result);
  else if (dtype === "F16" || dtype === "BF16")
    widen(elements(tensor) as Uint16Array, dtype, new Uint32Array(result.buffer, result.byteOffset, length));
  else fill(result, tensor);
  return result;
}

/**
 * The tensor's elements as float64; exact for every dtype but 64-bit integers beyond 2^53, which are rounded to nearest.
 * Errors: {@link FormatError} if the byte length does not fit the dtype.
 */
export function toFloat64Array(tensor: RawTensor): Float64Array {
  if (tensor.dtype === "F64") return (elements(tensor) as Float64Array).slice();
  if (tensor.dtype === "F16" || tensor.dtype === "BF16" || isBlockType(tensor.dtype))
    return Float64Array.from(toFloat32Array(tensor));
  const result = new Float64Array(elementLength(tensor));
  fill(result, tensor);
  return result;
}

/**
 * The elements of an integer or boolean tensor as int32.
 * Errors: {@link FormatError} if the dtype is a float or an element does not fit 32 bits.
 */
export function toInt32Array(tensor: RawTensor): Int32Array {
  const { dtype } = tensor;
  if (dtype.includes("F") || isBlockType(dtype))
    throw new FormatError(`toInt32Array: dtype must be an integer type or BOOL, got ${dtype}`);
  const source = elements(tensor);
  const result = new Int32Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const value = source[i];
    result[i] = Number(value);
    if (result[i] !== Number(value))
      throw new FormatError(`toInt32Array: element ${i} of the ${dtype} tensor must fit 32 bits, got ${value}`);
  }
  return result;
}

/** Float32 values as the little-endian bytes of an F32, F16 or BF16 tensor, rounded to nearest even. Shares memory with `values` for F32. */
export function fromFloat32Array(values: Float32Array, dtype: FloatStorage): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint16Array(values.length);
  if (dtype === "F16") for (let i = 0; i < bits.length; i++) result[i] = f32BitsToF16Bits(bits[i]);
  else for (let i = 0; i < bits.length; i++) result[i] = f32BitsToBf16Bits(bits[i]);
  return new Uint8Array(result.buffer);
}

function elementLength({ dtype, bytes }: RawTensor): number {
  const block = blockOf(dtype);
  const blocks = bytes.byteLength / block.bytes;
  if (!Number.isInteger(blocks))
    throw new FormatError(
      `tensor: ${bytes.byteLength} bytes are not a whole number of ${dtype} ${isBlockType(dtype) ? "blocks" : "elements"}`,
    );
  return blocks * block.elements;
}

// Every JavaScript engine in use runs little-endian, as the format is, so the bytes can be viewed as they are.
const VIEWS: Record<ElementType, new (buffer: ArrayBufferLike, offset: number, length: number) => ElementArray> = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
};

/** A view on the elements of a tensor that has no blocks; copied first if the bytes do not lie at a multiple of the element size. */
function elements(tensor: RawTensor): ElementArray {
  const length = elementLength(tensor);
  const dtype = tensor.dtype as ElementType;
  const aligned = tensor.bytes.byteOffset % DTYPE_BYTES[dtype] === 0 ? tensor.bytes : tensor.bytes.slice();
  return new VIEWS[dtype](aligned.buffer, aligned.byteOffset, length);
}

function widen(source: Uint16Array, dtype: "F16" | "BF16", bits: Uint32Array): void {
  if (dtype === "BF16") {
    for (let i = 0; i < source.length; i++) bits[i] = source[i] << 16;
    return;
  }
  const table = f16ToF32Table();
  for (let i = 0; i < source.length; i++) bits[i] = table[source[i]];
}

function fill(result: Float32Array | Float64Array, tensor: RawTensor): void {
  const source = elements(tensor);
  if (tensor.dtype === "F8_E4M3" || tensor.dtype === "F8_E5M2") {
    const decode = tensor.dtype === "F8_E4M3" ? f8E4M3ToNumber : f8E5M2ToNumber;
    const table = Float64Array.from({ length: 256 }, (_, bits) => decode(bits));
    for (let i = 0; i < source.length; i++) result[i] = table[Number(source[i])];
  } else if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
    for (let i = 0; i < source.length; i++) result[i] = Number(source[i]);
  } else {
    result.set(source);
  }
}
