import { type PackedFormat } from "@statespace/core";
import { packBytes, QUANT_BLOCK, type StorageFormat } from "@statespace/core/backend";
import { constants } from "../../kernels.gen.ts";

/** The number by which kernels know a format. */
export function formatNumber(format: StorageFormat): number {
  return format === "i32"
    ? constants.FORMAT_F32
    : constants[`FORMAT_${format.toUpperCase() as Uppercase<typeof format>}`];
}

/** Rows that are kept side by side. */
export const GROUP_ROWS = 4;
/** Neighbouring bytes of a row in a vector of 16. */
const RUN = 4;

/** Integers of a block: bytes after its two-byte scale. */
const integerBytes = (format: PackedFormat): number => (format === "q8" ? QUANT_BLOCK : QUANT_BLOCK / 2);

function groupsOf(shape: readonly number[]): { groups: number; rows: number; blocks: number } {
  const k = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return { groups: Math.ceil(rows / GROUP_ROWS), rows, blocks: k / QUANT_BLOCK };
}

/** Copies every byte of a quantised weight between its canonical form and this backend's (packed.h), either way. */
function copyBlocks(
  shape: readonly number[],
  format: PackedFormat,
  canonical: Uint8Array,
  grouped: Uint8Array,
  toGroups: boolean,
): void {
  const { rows, blocks } = groupsOf(shape);
  const bytes = integerBytes(format);
  const move = (at: number, to: number): void => {
    if (toGroups) grouped[to] = canonical[at]!;
    else canonical[at] = grouped[to]!;
  };
  for (let row = 0, from = 0; row < rows; row++) {
    const lane = row % GROUP_ROWS;
    for (let block = 0; block < blocks; block++) {
      const at = (Math.floor(row / GROUP_ROWS) * blocks + block) * GROUP_ROWS * (2 + bytes);
      for (let i = 0; i < 2; i++) move(from++, at + 2 * lane + i);
      for (let i = 0; i < bytes; i++)
        move(from++, at + 2 * GROUP_ROWS + (i - (i % RUN)) * GROUP_ROWS + lane * RUN + (i % RUN));
    }
  }
}

/** Bytes of a packed weight in this backend's arrangement. */
export function groupedBytes(shape: readonly number[], format: PackedFormat): number {
  if (format === "f16" || format === "bf16") return packBytes(shape, format);
  const { groups, blocks } = groupsOf(shape);
  return groups * blocks * GROUP_ROWS * (2 + integerBytes(format));
}

/** Canonical bytes of quantised rows to groups of four, so that a product reads its weights as one sequential stream. */
export function layoutGroups(
  canonical: Uint8Array,
  shape: readonly number[],
  format: PackedFormat,
  target: Uint8Array,
): void {
  if (groupsOf(shape).rows % GROUP_ROWS !== 0) target.fill(0);
  copyBlocks(shape, format, canonical, target, true);
}

/** Inverse of `layoutGroups`. */
export function unlayoutGroups(grouped: Uint8Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  if (format === "f16" || format === "bf16") return grouped;
  const { rows, blocks } = groupsOf(shape);
  const out = new Uint8Array(rows * blocks * (2 + integerBytes(format)));
  copyBlocks(shape, format, out, grouped, false);
  return out;
}
