/** C [batch, m, n] = op(A) op(B) + bias. */
export interface GemmShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A is stored [k, m]; B is stored [n, k]. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly batch?: number;
  /** One matrix for the whole batch. */
  readonly repeatA?: boolean;
  readonly repeatB?: boolean;
}
