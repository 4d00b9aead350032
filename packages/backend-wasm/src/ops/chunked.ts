import { constants, sizes } from "../kernels.gen.ts";

/** Extents of a chunked scan (chunked.h): r rows a token. */
export interface ChunkExtents {
  readonly l: number;
  readonly r: number;
}

/** Tokens a chunk (what the caller allows, as many as fit CHUNK_ROWS rows), rows a chunk, chunks a sequence. */
export function chunksOf({ l, r }: ChunkExtents, chunkSize: number): { tokens: number; rows: number; chunks: number } {
  const tokens = Math.max(1, Math.min(chunkSize, l, Math.floor(constants.CHUNK_ROWS / r)));
  return { tokens, rows: sizes.pad8(tokens * r), chunks: Math.ceil(l / tokens) };
}
