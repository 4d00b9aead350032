import type { Parameter } from "@statespace/core";
import { rowLength, type PublishedTensor } from "./weightNames.ts";

/** Rows of a weight, as ours, from wherever they are. A row is what lies along the last axis; of a vector an element. */
export type RowSource = (parameter: Parameter, from: number, count: number) => Promise<Float32Array>;

/** Values that are made at once: with their bytes they take a few times 4 MB, whatever the weight's size. */
export const VALUES_AT_ONCE: number = 1 << 20;

/** Rows of one tensor of a file that are made together. */
interface Part {
  readonly row: number;
  readonly count: number;
}

/** A tensor of a file, cut into parts of whole rows. */
export function partsOf({ parameter, rows }: PublishedTensor): readonly Part[] {
  const height = rows.reduce((total, [, count]) => total + count, 0);
  const step = Math.max(1, Math.floor(VALUES_AT_ONCE / Math.max(1, rowLength(parameter.shape))));
  const parts = Array.from({ length: Math.ceil(height / step) }, (_, i) => ({
    row: i * step,
    count: Math.min(step, height - i * step),
  }));
  return parts.length === 0 ? [{ row: 0, count: 0 }] : parts;
}

/** Values of some rows of a tensor of a file, as the file has them. */
export async function publishedRows(
  { parameter, rows, form }: PublishedTensor,
  { row, count }: Part,
  source: RowSource,
): Promise<Float32Array> {
  const width = rowLength(parameter.shape);
  const out = new Float32Array(count * width);
  let start = 0; // row of the file at which a place begins
  for (const [from, height] of rows) {
    const [a, b] = [Math.max(row, start), Math.min(row + count, start + height)];
    if (a < b) out.set(await source(parameter, from + a - start, b - a), (a - row) * width);
    start += height;
    if (start >= row + count) break;
  }
  form?.toFile(out, { row, k: width });
  return out;
}

/** Rows of a model that is loaded. The weight last asked for is kept, since its rows come one after the other. */
export function rowsOfModel(): RowSource {
  let last: { readonly parameter: Parameter; readonly values: Float32Array } | undefined;
  return async (parameter, from, count) => {
    if (last?.parameter !== parameter) {
      last = undefined;
      last = { parameter, values: await parameter.read() };
    }
    const width = rowLength(parameter.shape);
    return last.values.subarray(from * width, (from + count) * width);
  };
}
