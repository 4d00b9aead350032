/** The arguments of one layer's scan, as plain numbers. */
export interface ScanNumbers {
  readonly l: number;
  readonly d: number;
  readonly n: number;
  readonly u: ArrayLike<number>; // [l, d]
  readonly delta: ArrayLike<number>; // [l, d], after softplus
  readonly A: ArrayLike<number>; // [d, n]
  readonly B: ArrayLike<number>; // [l, n]
}

export interface TokenShares {
  /** Norm of what each token adds to the state: delta_t B_t u_t. */
  readonly written: Float64Array; // [l]
  /** Norm of what is left of that at step `until`: exp(A sum of the deltas since) times it. */
  readonly remembered: Float64Array; // [l]
}

/**
 * Splits the state at step `until` into the tokens it came from. The scan is linear in what is written once delta and B are known, so the
 * state is exactly the sum of these parts: state = sum_s exp(A (delta_{s+1} + ... + delta_until)) delta_s B_s u_s.
 */
export function tokenShares({ l, d, n, u, delta, A, B }: ScanNumbers, until: number): TokenShares {
  const written = new Float64Array(l);
  const remembered = new Float64Array(l);
  const since = new Float64Array(d); // sum of delta over the steps after s
  for (let s = until; s >= 0; s--) {
    let added = 0;
    let left = 0;
    for (let c = 0; c < d; c++) {
      const drive = delta[s * d + c]! * u[s * d + c]!;
      for (let i = 0; i < n; i++) {
        const part = drive * B[s * n + i]!;
        added += part ** 2;
        left += (part * Math.exp(A[c * n + i]! * since[c]!)) ** 2;
      }
      since[c]! += delta[s * d + c]!;
    }
    written[s] = Math.sqrt(added);
    remembered[s] = Math.sqrt(left);
  }
  return { written, remembered };
}
