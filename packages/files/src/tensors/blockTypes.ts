import { FormatError } from "@statespace/core";
import { DTYPE_BYTES, elementCount, isElementType, type ElementType } from "./dtype.ts";

/**
 * Types of GGUF whose elements are stored in blocks with a scale, by ggml's names: elements of a block, and its bytes.
 * A block never crosses the end of a row (the last axis).
 */
export const BLOCK_TYPES = {
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
  IQ4_NL: { elements: 32, bytes: 18 },
} as const;

/** Name of a type that is stored in blocks. */
export type BlockType = keyof typeof BLOCK_TYPES;

/** How a tensor of a file is stored: element by element, or in blocks. */
export type StoredType = ElementType | BlockType;

/** Whether tensors of this type are kept in blocks. */
export function isBlockType(type: string): type is BlockType {
  return Object.hasOwn(BLOCK_TYPES, type);
}

/** Elements and bytes of the smallest whole piece of a type. */
export function blockOf(type: StoredType): { readonly elements: number; readonly bytes: number } {
  return isElementType(type) ? { elements: 1, bytes: DTYPE_BYTES[type] } : BLOCK_TYPES[type];
}

/** Bytes of a tensor. Errors: {@link FormatError} for a shape that cannot be, or whose rows are no whole blocks. */
export function storedBytesOf(type: StoredType, shape: readonly number[], what: string): number {
  const { elements, bytes } = blockOf(type);
  const count = elementCount(shape, what);
  const row = shape.at(-1) ?? 1;
  if (row % elements !== 0)
    throw new FormatError(`${what}: rows of ${type} must be multiples of ${elements} elements, got ${row}`);
  const total = (count / elements) * bytes;
  if (!Number.isSafeInteger(total)) throw new FormatError(`${what}: shape [${shape.join(", ")}] has too many elements`);
  return total;
}
