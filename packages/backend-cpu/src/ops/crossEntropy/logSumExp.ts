/** log(sum of e^x) of a row, shifted by its largest value. */
export function logSumExp(rows: Float32Array, from: number, size: number): number {
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + size; i++) peak = Math.max(peak, rows[i]!);
  let total = 0;
  for (let i = from; i < from + size; i++) total += Math.exp(rows[i]! - peak);
  return peak + Math.log(total);
}
