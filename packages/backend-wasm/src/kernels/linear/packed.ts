import { QUANT_BLOCK, type PackedFormat, type StorageFormat } from "@statespace/core";

/** Numbers of the formats in packed.h. */
export const FORMAT_NUMBERS: Readonly<Record<StorageFormat, number>> = { f32: 0, i32: 0, f16: 1, bf16: 2, q8: 3, q4: 4 };

const ROWS = 4;

/** Integers of a block: bytes after its two-byte scale. */
const integerBytes = (format: PackedFormat): number => (format === "q8" ? QUANT_BLOCK : QUANT_BLOCK / 2);

function groupsOf(shape: readonly number[]): { groups: number; rows: number; blocks: number } {
  const k = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return { groups: Math.ceil(rows / ROWS), rows, blocks: k / QUANT_BLOCK };
}

/** Walks every block of a quantised weight: where it lies in the canonical form and in this backend's (packed.h). */
function eachBlock(shape: readonly number[], format: PackedFormat, visit: (canonical: number, scale: number, integers: number) => void): void {
  const { rows, blocks } = groupsOf(shape);
  const bytes = integerBytes(format);
  const groupBlock = ROWS * (2 + bytes);
  for (let row = 0; row < rows; row++) {
    const lane = row % ROWS;
    for (let block = 0; block < blocks; block++) {
      const at = (Math.floor(row / ROWS) * blocks + block) * groupBlock;
      visit((row * blocks + block) * (2 + bytes), at + 2 * lane, at + 2 * ROWS + lane * bytes);
    }
  }
}

/** Canonical bytes to groups of four rows, so that a product reads its weights as one sequential stream. */
export function layoutGroups(canonical: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  if (format === "f16" || format === "bf16") return canonical;
  const { groups, blocks } = groupsOf(shape);
  const bytes = integerBytes(format);
  const out = new Uint8Array(groups * blocks * ROWS * (2 + bytes));
  eachBlock(shape, format, (from, scale, integers) => {
    out[scale] = canonical[from]!;
    out[scale + 1] = canonical[from + 1]!;
    out.set(canonical.subarray(from + 2, from + 2 + bytes), integers);
  });
  return out;
}

/** Inverse of `layoutGroups`. */
export function unlayoutGroups(grouped: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  if (format === "f16" || format === "bf16") return grouped;
  const { rows, blocks } = groupsOf(shape);
  const bytes = integerBytes(format);
  const out = new Uint8Array(rows * blocks * (2 + bytes));
  eachBlock(shape, format, (to, scale, integers) => {
    out[to] = grouped[scale]!;
    out[to + 1] = grouped[scale + 1]!;
    out.set(grouped.subarray(integers, integers + bytes), to + 2);
  });
  return out;
}
