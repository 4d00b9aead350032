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

/** Steps of several texts at once may round otherwise than those of one: what was said among so many slots is marked with their number. */
const SLOTS = 2 ** 32;

/** Pieces after saying tokens up to one, alone or as one of so many slots that step at once. */
export function afterSaying(pieces: Pieces, until: number, slots = 1): Pieces {
  const end = -(until + (slots - 1) * SLOTS);
  return isSaidAmong(pieces.at(-1) ?? 0, slots) ? [...pieces.slice(0, -1), end] : [...pieces, end];
}

const slotsOf = (end: number): number => (end < 0 ? Math.floor(-end / SLOTS) + 1 : 0);
const isSaidAmong = (end: number, slots: number): boolean => slotsOf(end) === slots;

/** Whether a text that went in by `all` went through the place that `some` ends at. */
export function wentThrough(some: Pieces, all: Pieces): boolean {
  return some.every((end, i) => {
    const own = all[i];
    if (own === undefined) return false;
    return end === own || (i === some.length - 1 && end < 0 && slotsOf(end) === slotsOf(own) && -end < -own);
  });
}

/** Whether a text was read only, in full pieces; the last one may be shorter. */
export function isPlainReading(pieces: Pieces, chunk: number): boolean {
  return pieces.every((end, i) =>
    i < pieces.length - 1 ? end === (i + 1) * chunk : end > i * chunk && end <= (i + 1) * chunk,
  );
}
