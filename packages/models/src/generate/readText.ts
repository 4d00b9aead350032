import type { Model } from "../model/model.ts";
import type { ModelState } from "../model/state.ts";
import type { Standing } from "./places.ts";
import { readPrompts, type PrefillOptions } from "./prefill.ts";
import { afterReading, type Pieces } from "./states/pieces.ts";
import type { StateStore } from "./states/stateStore.ts";

/** A text as far as it went in, and how. */
export interface TextSoFar {
  readonly tokens: readonly number[];
  /** Absent where it is not known. */
  readonly pieces: Pieces | undefined;
}

/** How a session reads, see `SessionOptions`. */
export interface ReadingOptions {
  readonly store: StateStore | undefined;
  readonly chunk: number;
  readonly reproducible: boolean;
}

/** What came of reading. */
export interface ReadResult extends Standing {
  readonly pieces: Pieces | undefined;
  /** Tokens of the beginning that were found, not read. */
  readonly found: number;
}

/**
 * Reads a single text on, with a store: what it has of a text's beginning is not read again, and what is read is kept in it.
 * @param before the state so far; `undefined` where the text begins
 */
export async function readText(
  model: Model,
  ids: ArrayLike<number>,
  { before, text, store, chunk, reproducible }: ReadingOptions & { before: ModelState | undefined; text: TextSoFar },
  options: Pick<PrefillOptions, "signal" | "onProgress">,
): Promise<ReadResult> {
  const begins = before === undefined;
  const found = begins ? await store?.find(model, ids, reproducible ? chunk : undefined) : undefined;
  const from = found?.tokens.length ?? 0;
  if (found !== undefined && from === ids.length) return { ...found, found: from };
  const all = [...text.tokens, ...Array.from(ids)];
  let pieces = found === undefined ? text.pieces : found.pieces;
  try {
    const standing = await readPrompts(model, [from === 0 ? ids : Array.from(ids).slice(from)], {
      ...options,
      initialState: found?.state ?? before,
      chunk,
      onPiece: async ({ position, done, total, standing }) => {
        pieces &&= afterReading(pieces, position);
        const due = done === total || position % (store?.every ?? 1) === 0;
        if (pieces && due) await store?.add(model, standing, { tokens: all.slice(0, position), pieces });
      },
    });
    return { ...standing, pieces, found: from };
  } finally {
    found?.state.dispose();
    found?.logits.dispose();
  }
}
