/**
 * How a text came into a state: where each piece of it ended, negative for what was said token by token. Reading in other pieces adds
 * the same numbers in another order, so a state's bits are a matter of tokens and pieces. After pieces that are all full ones
 * (see `readEvery`), reading the same text anew gives the very same bits.
 */
export type Pieces = readonly number[];

/** Pieces after reading on up to a token. */
export function afterReading(pieces: Pieces, until: number): Pieces {
  return [...pieces, until];
}

/** Pieces after saying tokens up to one. */
export function afterSaying(pieces: Pieces, until: number): Pieces {
  return (pieces.at(-1) ?? 0) < 0 ? [...pieces.slice(0, -1), -until] : [...pieces, -until];
}

/** Whether a text that went in by `all` went through the place that `some` ends at. */
export function wentThrough(some: Pieces, all: Pieces): boolean {
  return some.every((end, i) => {
    const own = all[i];
    if (own === undefined) return false;
    return end === own || (i === some.length - 1 && end < 0 && own < 0 && -end < -own);
  });
}

/** Whether a text was read only, in full pieces; the last one may be shorter. */
export function isPlainReading(pieces: Pieces, chunk: number): boolean {
  return pieces.every((end, i) =>
    i < pieces.length - 1 ? end === (i + 1) * chunk : end > i * chunk && end <= (i + 1) * chunk,
  );
}
