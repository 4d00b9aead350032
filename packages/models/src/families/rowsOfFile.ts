import type { Parameter } from "@statespace/core";
import { storedBytesOf, toFloat32Array, type ReadOptions, type TensorFile } from "@statespace/files";
import { VALUES_AT_ONCE, type RowSource } from "./rows.ts";
import { rowLength, type PublishedTensor } from "./weightNames.ts";

/** Rows of a weight that stand one after the other in one tensor of a file. */
interface Segment {
  readonly from: number;
  readonly count: number;
  readonly target: PublishedTensor;
  readonly key: string;
  /** Of the tensor in the file. */
  readonly row: number;
}

/** Rows of a tensor that were read last. */
interface Window {
  readonly key: string;
  readonly row: number;
  readonly count: number;
  readonly values: Float32Array;
}

/** Rows of the weights that a file holds, read as they are asked for: some rows at a time are in memory, whatever the weights' size. */
export function rowsOfFile(
  matched: ReadonlyMap<string, PublishedTensor>,
  tensors: TensorFile,
  options: ReadOptions = {},
): RowSource {
  const segments = new Map<Parameter, Segment[]>();
  for (const [key, target] of matched) {
    let row = 0;
    for (const [from, count] of target.rows) {
      const all = segments.get(target.parameter) ?? [];
      segments.set(target.parameter, all);
      all.push({ from, count, target, key, row });
      row += count;
    }
  }
  for (const all of segments.values()) all.sort((a, b) => a.from - b.from);
  let window: Window | undefined;
  const load = async ({ key, target }: Segment, row: number): Promise<Window> => {
    const k = rowLength(target.parameter.shape);
    const { dtype, shape, byteLength } = tensors.entries.get(key)!;
    const rows = shape.reduce((a, b) => a * b, 1) / k;
    const rowBytes = byteLength / rows;
    storedBytesOf(dtype, [k], `tensor ${key}`); // rows are whole blocks
    const count = Math.min(rows - row, Math.max(1, Math.floor(VALUES_AT_ONCE / k)));
    const bytes = await tensors.slice(key, row * rowBytes, (row + count) * rowBytes, options);
    const values = toFloat32Array({ dtype, shape: [count * k], bytes });
    target.form?.fromFile(values, { row, k });
    return { key, row, count, values };
  };
  return async (parameter, from, count) => {
    const k = rowLength(parameter.shape);
    const out = new Float32Array(count * k);
    for (const segment of segments.get(parameter) ?? []) {
      let a = Math.max(from, segment.from);
      const end = Math.min(from + count, segment.from + segment.count);
      while (a < end) {
        const row = segment.row + a - segment.from;
        const inside = window?.key === segment.key && row >= window.row && row < window.row + window.count;
        if (!inside) {
          window = undefined;
          window = await load(segment, row);
        }
        const found: Window = window!;
        const n = Math.min(end - a, found.row + found.count - row);
        out.set(found.values.subarray((row - found.row) * k, (row - found.row + n) * k), (a - from) * k);
        a += n;
      }
    }
    return out;
  };
}
