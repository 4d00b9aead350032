/** A power law through measured points: time grows as length to the power of `slope`. */
export interface PowerLaw {
  readonly slope: number;
  /** One standard error of the slope. */
  readonly error: number;
}

export interface Spread {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Fits a straight line to the logarithms of the longer half of the points (at least four), where what a run costs at any length no longer
 * counts. Its error is that of least squares, or what the spread of the repeats explains, whichever is the larger.
 * Undefined for fewer than three points.
 */
export function fitPowerLaw(points: readonly Spread[]): PowerLaw | undefined {
  const used = points.slice(-Math.max(4, Math.ceil(points.length / 2)));
  if (used.length < 3) return undefined;
  const logs = used.map(({ x, y, low, high }) => ({
    x: Math.log(x),
    y: Math.log(y),
    spread: Math.log(high / low) / 2,
  }));
  const mean = (of: (point: (typeof logs)[number]) => number): number =>
    logs.reduce((sum, point) => sum + of(point), 0) / logs.length;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const sxx = logs.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const slope = logs.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx;
  const residual =
    logs.reduce((sum, { x, y }) => sum + (y - my - slope * (x - mx)) ** 2, 0) / Math.max(1, logs.length - 2);
  const repeats = mean(({ spread }) => spread ** 2);
  return { slope, error: Math.sqrt(Math.max(residual, repeats) / sxx) };
}
