import { BackendError, type PackedFormat, type StorageFormat } from "@statespace/core";

/** Formats of a weight, as the shaders' variant FORMAT names them. */
export type WeightFormat = "f32" | PackedFormat;

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

/**
 * This backend's arrangement of a packed weight: of quantised blocks all the integers first, then all the scales,
 * so that both are read in whole aligned words. Half floats stay as they are; the scales' end is padded to 16 bytes.
 */
export function arrangePacked(canonical: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (format === "f16" || format === "bf16") return canonical;
  const [blockBytes, blocks] = [format === "q8" ? 32 : 16, size / 32];
  const out = new Uint8Array(Math.ceil((blocks * (blockBytes + 2)) / 16) * 16);
  for (let block = 0; block < blocks; block++) {
    const from = block * (blockBytes + 2);
    out.set(canonical.subarray(from + 2, from + 2 + blockBytes), block * blockBytes);
    out.set(canonical.subarray(from, from + 2), blocks * blockBytes + 2 * block);
  }
  return out;
}

/** Inverse of `arrangePacked`. */
export function restoreCanonical(bytes: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  if (format === "f16" || format === "bf16") return bytes;
  const [blockBytes, blocks] = [format === "q8" ? 32 : 16, shape.reduce((a, b) => a * b, 1) / 32];
  const out = new Uint8Array(blocks * (blockBytes + 2));
  for (let block = 0; block < blocks; block++) {
    const to = block * (blockBytes + 2);
    out.set(bytes.subarray(blocks * blockBytes + 2 * block, blocks * blockBytes + 2 * block + 2), to);
    out.set(bytes.subarray(block * blockBytes, (block + 1) * blockBytes), to + 2);
  }
  return out;
}
