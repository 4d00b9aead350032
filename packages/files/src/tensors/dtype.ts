import { FormatError } from "@statespace/core";

/** Element types that this library reads, by their names in safetensors; sizes in bytes. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const;

/** Name of an element type. */
export type ElementType = keyof typeof DTYPE_BYTES;

/** Element types the writer can store floating-point weights as. */
export type FloatStorage = "F32" | "F16" | "BF16";

export function isElementType(name: string): name is ElementType {
  return Object.hasOwn(DTYPE_BYTES, name);
}

/**
 * Number of elements of a shape; 1 for a scalar `[]`.
 * Errors: {@link FormatError} if an axis is not a whole number >= 0 or the product leaves the exactly representable integers.
 */
export function elementCount(shape: readonly number[], what: string): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new FormatError(`${what}: shape must hold whole numbers >= 0, got [${shape.join(", ")}]`);
    // A zero axis makes the tensor empty, yet the other axes must still be sane.
    if (count > 0 && size > 0 && count > Number.MAX_SAFE_INTEGER / size) {
      throw new FormatError(`${what}: shape [${shape.join(", ")}] has too many elements`);
    }
    count *= size;
  }
  return count;
}
