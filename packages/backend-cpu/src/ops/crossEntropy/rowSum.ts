/** What a row's exponentials come to, shifted by its largest value. */
export interface RowSum {
  readonly peak: number;
  /** Where the peak stands, the first time; -1 where there is none, since a value is no number. */
  readonly largest: number;
  /** Sum of e^(x - peak) of all but that one, whose share is 1: beside it small ones would be lost. */
  readonly others: number;
}

export function rowSum(rows: Float32Array, from: number, size: number): RowSum {
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + size; i++) peak = Math.max(peak, rows[i]!);
  let largest = -1;
  let others = 0;
  for (let i = from; i < from + size; i++) {
    if (largest < 0 && rows[i] === peak) largest = i - from;
    else others += Math.exp(rows[i]! - peak);
  }
  return { peak, largest, others };
}
