import { BackendError, type PackedFormat } from "@statespace/core";
import {
  packBytes,
  type PackedRows,
  type PlacedBytes,
  type StorageFormat,
  type WeightFormat,
} from "@statespace/core/backend";

export function weightFormat(format: StorageFormat): WeightFormat {
  if (format === "i32") throw new BackendError("webgpu: a weight must be of floats, got i32");
  return format;
}

/** Elements of a row in the 16 bytes that a thread takes at once. */
const widths: Readonly<Record<string, number>> = { f32: 4, f16: 8, bf16: 8, q8: 16, q4: 32 };

/** True where the rows of a weight are whole 16-byte words. */
export function wholeWords(format: StorageFormat, k: number): boolean {
  const width = widths[format]!;
  return k % width === 0;
}

export function wordElements(format: StorageFormat): number {
  return widths[format]!;
}

/** First vec4u of the scales of a quantised weight [n, k]; 0 for the other formats. */
export function scalesOffset(format: StorageFormat, n: number, k: number): number {
  if (format === "q8") return (n * k) / 16;
  return format === "q4" ? (n * k) / 32 : 0;
}

/** Integers of a block, in bytes. */
const integerBytes = (format: PackedFormat): number => (format === "q8" ? 32 : 16);

/** Bytes of a packed weight in this backend's arrangement: the scales' end is padded to 16. */
export function arrangedBytes(shape: readonly number[], format: PackedFormat): number {
  const bytes = packBytes(shape, format);
  return format === "f16" || format === "bf16" ? bytes : Math.ceil(bytes / 16) * 16;
}

/**
 * This backend's arrangement of rows of a packed weight: of quantised blocks all the integers first, then all the scales,
 * so that both are read in whole aligned words. Half floats stay as they are.
 */
export function arrangePacked(canonical: Uint8Array, { shape, format, row }: PackedRows): PlacedBytes[] {
  const k = shape.at(-1)!;
  if (format === "f16" || format === "bf16") return [[2 * k * row, canonical]];
  const size = shape.reduce((a, b) => a * b, 1);
  const blockBytes = integerBytes(format);
  const blocks = canonical.byteLength / (blockBytes + 2);
  const first = (row * k) / 32;
  const last = first + blocks === size / 32;
  const scalesEnd = last ? arrangedBytes(shape, format) : (size / 32) * blockBytes + 2 * (first + blocks);
  const scalesAt = (size / 32) * blockBytes + 2 * first;
  const integers = new Uint8Array(blocks * blockBytes);
  const scales = new Uint8Array(scalesEnd - scalesAt);
  for (let block = 0; block < blocks; block++) {
    const from = block * (blockBytes + 2);
    integers.set(canonical.subarray(from + 2, from + 2 + blockBytes), block * blockBytes);
    scales.set(canonical.subarray(from, from + 2), 2 * block);
  }
  return [
    [first * blockBytes, integers],
    [scalesAt, scales],
  ];
}

/** Inverse of `arrangePacked`. */
export function restoreCanonical(bytes: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  if (format === "f16" || format === "bf16") return bytes;
  const [blockBytes, blocks] = [integerBytes(format), shape.reduce((a, b) => a * b, 1) / 32];
  const out = new Uint8Array(blocks * (blockBytes + 2));
  for (let block = 0; block < blocks; block++) {
    const to = block * (blockBytes + 2);
    out.set(bytes.subarray(blocks * blockBytes + 2 * block, blocks * blockBytes + 2 * block + 2), to);
    out.set(bytes.subarray(block * blockBytes, (block + 1) * blockBytes), to + 2);
  }
  return out;
}
