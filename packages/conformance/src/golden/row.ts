/** The tensors of one golden file, by name. */
export type GoldenTensors = Record<string, { dtype: string; shape: number[]; data: Float64Array | Float32Array }>;

/** One comparison: passes when every |actual - expected| is at most `bound`. */
export interface GoldenRow {
  tensor: string;
  actual: Float64Array;
  expected: Float64Array;
  /** Absolute; one for all elements, or one for each. */
  bound: number | Float64Array;
  /** Why the bound is what it is. */
  reason: string;
}
