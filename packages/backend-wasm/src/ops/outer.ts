/** Steps that a matrix-state scan keeps at once in its backward pass (outer.h). */
export const OUTER_SPAN = 16;

/** Rows of n are padded to whole vectors. */
export const padded = (n: number): number => Math.ceil(n / 4) * 4;

/** Floats that one thread needs for a scan with a [p, n] state (outerFloats of outer.h). */
export function outerFloats(p: number, n: number, updates: number, queries: number): number {
  return 2 * OUTER_SPAN * (updates + queries) * (p + padded(n)) + (OUTER_SPAN + 3) * p * padded(n);
}

/** Floats of the states kept at the start of every span of a row. */
export const checkpointFloats = (l: number, p: number, n: number): number => Math.ceil(l / OUTER_SPAN) * p * padded(n);
