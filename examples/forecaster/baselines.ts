/** Forecasts without a model: each takes what was seen and says the next `horizon` steps. */
export type Forecast = (context: readonly number[], horizon: number, period: number) => number[];

/** The value of a period ago, again and again. */
export const seasonalNaive: Forecast = (context, horizon, period) => {
  const season = Math.min(period, context.length);
  return Array.from({ length: horizon }, (_, h) => context[context.length - season + (h % season)]!);
};

/**
 * A linear map from the last `lags` values to each coming one, by least squares with a little ridge, on the windows of the context itself; values are
 * taken relative to the last one seen (NLinear of Zeng et al. 2023, arXiv 2205.13504).
 */
export const linear: Forecast = (context, horizon, period) => {
  const lags = Math.max(8, Math.min(2 * period, 48, Math.floor((context.length - horizon) / 3)));
  const windows = context.length - lags - horizon + 1;
  if (windows < 4) return seasonalNaive(context, horizon, period);
  const rows = Array.from({ length: windows }, (_, i) => {
    const last = context[i + lags - 1]!;
    const x = context.slice(i, i + lags).map((value) => value - last);
    x[lags - 1] = 1; // the last is 0 by itself; its place is the constant's
    return { x, y: context.slice(i + lags, i + lags + horizon).map((value) => value - last) };
  });
  const scale = rows.reduce((sum, { x }) => sum + x.reduce((a, b) => a + b * b, 0), 0) / (windows * lags);
  const normal = Array.from({ length: lags }, (_, a) =>
    Array.from({ length: lags }, (__, b) => rows.reduce((sum, { x }) => sum + x[a]! * x[b]!, 0)),
  );
  normal.forEach((row, a) => (row[a]! += 1e-3 * windows * scale));
  const right = Array.from({ length: lags }, (_, a) =>
    Array.from({ length: horizon }, (__, h) => rows.reduce((sum, { x, y }) => sum + x[a]! * y[h]!, 0)),
  );
  const weights = solve(normal, right);
  const last = context.at(-1)!;
  const x = context.slice(-lags).map((value) => value - last);
  x[lags - 1] = 1;
  return Array.from(
    { length: horizon },
    (_, h) => last + x.reduce((sum, value, a) => sum + value * weights[a]![h]!, 0),
  );
};

/** Gauss's elimination with pivots. */
function solve(matrix: number[][], right: number[][]): number[][] {
  const [a, b] = [matrix.map((row) => [...row]), right.map((row) => [...row])];
  for (let column = 0; column < a.length; column++) {
    let pivot = column;
    for (let row = column; row < a.length; row++)
      if (Math.abs(a[row]![column]!) > Math.abs(a[pivot]![column]!)) pivot = row;
    [a[column], a[pivot]] = [a[pivot]!, a[column]!];
    [b[column], b[pivot]] = [b[pivot]!, b[column]!];
    for (let row = 0; row < a.length; row++) {
      if (row === column) continue;
      const factor = a[row]![column]! / a[column]![column]!;
      for (let k = column; k < a.length; k++) a[row]![k]! -= factor * a[column]![k]!;
      for (let k = 0; k < b[row]!.length; k++) b[row]![k]! -= factor * b[column]![k]!;
    }
  }
  return b.map((row, i) => row.map((value) => value / a[i]![i]!));
}

/**
 * Exponential smoothing with additive errors: simple, damped trend, and both with an additive season, each with the best of a grid of weights for one
 * step ahead; the one of the least AIC says what comes.
 * Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, chapter 8; Holt 1957, Winters 1960.
 */
export const ets: Forecast = (context, horizon, period) => {
  const seasonal = period > 1 && context.length >= 2 * period + 4;
  let best: { aic: number; said: number[] } | undefined;
  for (const hasTrend of [false, true])
    for (const season of seasonal ? [1, period] : [1])
      for (const alpha of [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99])
        for (const beta of hasTrend ? [0.01, 0.05, 0.15, 0.3] : [0])
          for (const phi of hasTrend ? [0.9, 0.98] : [1])
            for (const gamma of season > 1 ? [0.01, 0.05, 0.15, 0.4] : [0]) {
              const { squares, said } = smooth(context, horizon, {
                alpha,
                beta: hasTrend ? beta : 0,
                phi,
                gamma,
                season,
              });
              const parameters = 2 + (hasTrend ? 3 : 0) + (season > 1 ? 1 + season : 0);
              const aic = context.length * Math.log(squares / context.length + 1e-12) + 2 * parameters;
              if (best === undefined || aic < best.aic) best = { aic, said };
            }
  return best!.said;
};

interface Smoothing {
  readonly alpha: number;
  /** Of the trend; 0 for none. */
  readonly beta: number;
  /** The trend's damping. */
  readonly phi: number;
  readonly gamma: number;
  /** Steps of the season; 1 for none. */
  readonly season: number;
}

function smooth(
  context: readonly number[],
  horizon: number,
  { alpha, beta, phi, gamma, season }: Smoothing,
): { squares: number; said: number[] } {
  const first = context.slice(0, season > 1 ? season : Math.min(4, context.length));
  let level = first.reduce((a, b) => a + b, 0) / first.length;
  let trend = 0;
  const seasons = season > 1 ? first.map((value) => value - level) : [0];
  let squares = 0;
  context.forEach((value, t) => {
    const at = t % season;
    const before = seasons[at]!;
    const error = value - (level + phi * trend + before);
    if (t >= first.length) squares += error * error;
    level += phi * trend + alpha * error;
    trend = phi * trend + alpha * beta * error;
    if (season > 1) seasons[at] = before + gamma * (1 - alpha) * error;
  });
  let reach = 0;
  return {
    squares,
    said: Array.from({ length: horizon }, (_, h) => {
      reach += phi ** (h + 1);
      return level + (beta > 0 ? reach * trend : 0) + seasons[(context.length + h) % season]!;
    }),
  };
}
