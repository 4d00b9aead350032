import { FormatError } from "@statespace/core";
import type { DatasetInfo } from "../batch.ts";
import { parseCsv } from "../formats/csv.ts";
import { type ByteSource, loadText, type LoadOptions } from "@statespace/files";
import type { ImageDataset } from "./mnist.ts";

/** Where the digits come from and their licence. */
export const digitsInfo: DatasetInfo = {
  name: "digits",
  description: "handwritten digits, 8 by 8, read as 64 steps",
  licence: "CC-BY-4.0",
  source:
    "Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits (doi:10.24432/C50P49), as in scikit-learn's digits.csv.gz",
  split: "a seeded shuffle through splitDataset",
};

/**
 * Digits 8 by 8 from CSV (or csv.gz): 64 numbers 0 .. 16 and the digit, a line each, no header.
 * Returns inputs [n, 64, 1] in [0, 1] and targets [n].
 * Errors: `FormatError` for a line of another length or a number out of range; `AbortedError`.
 */
export async function loadDigits(source: ByteSource, options: LoadOptions = {}): Promise<ImageDataset> {
  const rows = parseCsv(await loadText(source, options));
  const inputs = new Float32Array(rows.length * 64); // [n, 64, 1]
  const targets = new Int32Array(rows.length);
  for (const [row, fields] of rows.entries()) {
    if (fields.length !== 65)
      throw new FormatError(`digits: line ${row + 1} must have 65 fields, got ${fields.length}`);
    for (let i = 0; i < 64; i++) inputs[row * 64 + i] = whole(fields[i], 16, row) / 16;
    targets[row] = whole(fields[64], 9, row);
  }
  if (rows.length === 0) throw new FormatError("digits: no line found");
  return { info: digitsInfo, length: rows.length, inputs, inputShape: [64, 1], targets, targetShape: [] };
}

function whole(field: string, max: number, row: number): number {
  const value = /^\d+(\.0*)?$/.test(field) ? Number(field) : Number.NaN;
  if (!(value <= max))
    throw new FormatError(
      `digits: line ${row + 1} must hold whole numbers up to ${max}, got ${JSON.stringify(field.slice(0, 40))}`,
    );
  return value;
}
