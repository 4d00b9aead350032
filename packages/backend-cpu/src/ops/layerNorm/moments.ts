/** Mean of a row and 1 / sqrt(var + eps), in two passes, since E x^2 - (E x)^2 cancels. */
export function moments(xs: Float32Array, from: number, d: number, eps: number): { mean: number; scale: number } {
  let mean = 0;
  for (let i = 0; i < d; i++) mean += xs[from + i]! / d;
  let variance = 0;
  for (let i = 0; i < d; i++) variance += (xs[from + i]! - mean) ** 2 / d;
  return { mean, scale: 1 / Math.sqrt(variance + eps) };
}
