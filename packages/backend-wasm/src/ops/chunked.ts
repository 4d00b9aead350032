/** Rows a chunk has at most: past it, products inside the chunk cost more than what they save between chunks. */
const CHUNK_ROWS = 32;
/** Tokens from which matrix products pay. */
export const CHUNKED_FROM = 16;

const pad8 = (n: number): number => 8 * Math.ceil(n / 8);
const pad16 = (n: number): number => 16 * Math.ceil(n / 16);

/** Extents of a chunked scan (chunked.h): r rows a token. */
export interface ChunkExtents {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly r: number;
  readonly p: number;
  readonly n: number;
}

/** Tokens a chunk: what the caller allows, as many as fit 32 rows. */
export function chunkTokens({ l, r }: ChunkExtents, chunkSize: number): number {
  return Math.max(1, Math.min(chunkSize, l, Math.floor(CHUNK_ROWS / r)));
}

/** Floats a thread needs for `chunkedScan` with `heads` heads at a time. */
export function chunkedFloats({ r, p, n }: ChunkExtents, tokens: number, heads: number): number {
  const rows = pad8(tokens * r);
  return (
    9 * pad16(rows) +
    4 * pad16(rows * pad8(n)) +
    4 * pad16(rows * pad8(p)) +
    2 * pad16(rows * rows) +
    heads * pad8(n) * pad8(p)
  );
}

/** Floats a thread needs for `chunkedBack`. */
export function chunkedBackFloats({ l, r, p, n }: ChunkExtents, tokens: number): number {
  const rows = pad8(tokens * r);
  const widest = Math.max(rows, pad8(n), pad8(p));
  const state = pad8(n) * pad8(p);
  return (
    12 * pad16(rows) +
    4 * pad16(rows * pad8(n)) +
    4 * pad16(rows * pad8(p)) +
    2 * pad16(rows * rows) +
    2 * pad16(rows * widest) +
    2 * pad16(state) +
    Math.ceil(l / tokens) * state
  );
}
