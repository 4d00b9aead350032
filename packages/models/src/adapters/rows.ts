import { concat, full, zeros, type Tensor } from "@statespace/core";
import type { PublishedTensor } from "../families/weightNames.ts";

/** Rows of a weight, from and count. */
export type Span = readonly [from: number, count: number];

/** Rows that a module has in our weight, lowest first: the order in which what is made for them is kept. */
export function sortedSpans(rows: PublishedTensor["rows"]): Span[] {
  const sorted = [...rows].sort(([a], [b]) => a - b);
  const out: [number, number][] = [];
  for (const [from, count] of sorted) {
    const last = out.at(-1);
    if (last !== undefined && last[0] + last[1] === from) last[1] += count;
    else out.push([from, count]);
  }
  return out;
}

/** Values of rows that are kept lowest first, in the module's own order. @param width elements a row */
export function toModuleOrder(rows: PublishedTensor["rows"], kept: Float32Array, width: number): Float32Array {
  return reorder(rows, width, kept, (out, inner, own, size) => out.set(kept.subarray(inner, inner + size), own));
}

/** Inverse of `toModuleOrder`. */
export function fromModuleOrder(rows: PublishedTensor["rows"], values: Float32Array, width: number): Float32Array {
  return reorder(rows, width, values, (out, inner, own, size) => out.set(values.subarray(own, own + size), inner));
}

function reorder(
  rows: PublishedTensor["rows"],
  width: number,
  values: Float32Array,
  move: (out: Float32Array, inner: number, own: number, size: number) => void,
): Float32Array {
  const out = new Float32Array(values.length);
  const starts = new Map<number, number>();
  let inner = 0;
  for (const [from, count] of [...rows].sort(([a], [b]) => a - b)) {
    starts.set(from, inner);
    inner += count;
  }
  let own = 0;
  for (const [from, count] of rows) {
    move(out, starts.get(from)! * width, own * width, count * width);
    own += count;
  }
  return out;
}

/** A piece along one axis of a whole. */
export interface Piece {
  readonly from: number;
  readonly values: Tensor;
}

/**
 * Pieces along an axis put in their places; what no piece covers is one value.
 * @param like extents of the whole
 */
export function assemble(pieces: readonly Piece[], like: readonly number[], axis: number, rest = 0): Tensor {
  const { backend } = pieces[0]!.values;
  const filler = (count: number): Tensor => {
    const shape = like.map((extent, i) => (i === axis ? count : extent));
    return rest === 0 ? zeros(shape, { backend }) : full(shape, rest, { backend });
  };
  const parts: Tensor[] = [];
  let at = 0;
  for (const { from, values } of [...pieces].sort((a, b) => a.from - b.from)) {
    if (from > at) parts.push(filler(from - at));
    parts.push(values);
    at = from + values.shape[axis]!;
  }
  if (at < like[axis]!) parts.push(filler(like[axis]! - at));
  return parts.length === 1 ? parts[0]! : concat(parts, axis);
}
