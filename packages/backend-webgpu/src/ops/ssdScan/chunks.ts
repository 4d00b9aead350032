/** Extents of a scan with one decay a head: q, k [b, l, g, r, n]; v, y [b, l, h, r, p]; states [b, h, p, n]. */
export interface ChunkedShape {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly g: number;
  readonly r: number;
  readonly p: number;
  readonly n: number;
  /** Tokens a chunk, chunks a row (or a segment of it), and the number of the first of them. */
  readonly Q: number;
  readonly chunks: number;
  readonly firstChunk: number;
}

/** Rows (tokens and ranks) of a chunk to aim for: products of 64 rows fill a device, and what is kept per row stays small. */
const wantedRows = 64;

/** What a scan is cut into chunks from. */
export type ScanExtents = Omit<ChunkedShape, "Q" | "chunks" | "firstChunk">;

/** Cuts a scan into chunks of at most `chunkSize` tokens. */
export function chunkedShape(extents: ScanExtents, chunkSize: number): ChunkedShape {
  const Q = Math.max(1, Math.min(chunkSize, Math.ceil(wantedRows / extents.r), extents.l));
  return { ...extents, Q, chunks: Math.ceil(extents.l / Q), firstChunk: 0 };
}

export function chunkConstants({ Q, r, p, n }: ChunkedShape): Record<"Q" | "R" | "P" | "N", number> {
  return { Q, R: r, P: p, N: n };
}

/** The parameters that every shader of a chunked scan has. */
export type ChunkParams = Record<"l" | "h" | "g" | "chunks" | "batch" | "offset" | "firstChunk", number>;

export function chunkParams({ l, h, g, chunks, firstChunk }: ChunkedShape, batch: number, offset = 0): ChunkParams {
  return { l, h, g, chunks, batch, offset, firstChunk };
}
