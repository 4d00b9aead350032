/** Tokens of the sum that is rounded. */
export const ROUNDED = 1000;
/** One half of the distance of two neighbours of 1 in float32: what a rounding may miss. */
export const UNIT = 2 ** -24;

/** Minimal standard generator: its products are exact in float64, so that every language draws the same. Source: Park and Miller 1988. */
export function draws(seed: number, count: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => (state = (state * 16807) % 2147483647) / 2147483647);
}

/** How far a scan in float32 departs from the same in float64, in units of 2^-24 of the largest state. */
export function roundingOf(seed: number): number {
  const drawn = draws(seed, 2 * ROUNDED).map(Math.fround);
  let [exact, rounded, error, scale] = [0, 0, 0, 0];
  for (let t = 0; t < ROUNDED; t++) {
    const [a, b] = [drawn[2 * t]!, drawn[2 * t + 1]!];
    exact = a * exact + b;
    rounded = Math.fround(Math.fround(a * rounded) + b);
    error = Math.max(error, Math.abs(rounded - exact));
    scale = Math.max(scale, Math.abs(exact));
  }
  return error / (UNIT * scale);
}
