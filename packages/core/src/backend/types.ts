/** Element types of this project; `bool` and `int32` take four bytes in every backend. */
export type DType = "float32" | "int32" | "bool";

/** Key of a tensor's storage, as its backend made it. */
export type DataId = object;

/** What kernels see of a tensor: its storage, shape and dtype. */
export interface TensorInfo {
  readonly dataId: DataId;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Values a tensor can be made from or read into. */
export type TensorValues = Float32Array | Int32Array | Uint8Array;

/**
 * How a backend keeps a tensor's values. Everything but `f32` and `i32` is a packed weight:
 * its dtype reads `float32`, it may be an operand of `linear` and `embedding` only, and it has no gradient.
 * `q8`: blocks of 32 along the last axis, int8 with one f16 scale. `q4`: the same with 4 bits.
 */
export type StorageFormat = "f32" | "i32" | "f16" | "bf16" | "q8" | "q4";

/** Formats a weight can be packed into. */
export type PackedFormat = Exclude<StorageFormat, "f32" | "i32">;

/** Their names. */
export const PACKED_FORMATS: readonly PackedFormat[] = ["f16", "bf16", "q8", "q4"];

/** Formats of a weight, packed or plain. */
export type WeightFormat = Exclude<StorageFormat, "i32">;
