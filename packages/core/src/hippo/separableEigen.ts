import type { Complex } from "../math/complex.ts";

/** An eigenvalue i omega of K and its eigenvector. */
export interface SkewPair {
  readonly omega: number;
  /** Of length 1. */
  readonly vector: Complex[]; // [n]
}

/**
 * The eigenpairs with omega < 0, ascending, of the skew-symmetric matrix K[i, j] = p_i p_j sign(j - i), n even and p_i > 0.
 *
 * K v = i omega v reads v_k = p_k w_k / (i omega + a_k) with a_k = p_k^2 and w_k = sum_{j >= k} p_j v_j - sum_{j < k} p_j v_j, so that
 * w_{k+1} = w_k (i omega - a_k) / (i omega + a_k), a turn by the angle pi - 2 arctan(omega / a_k). From w_n = -w_0 follows
 *
 *     sum_k arctan(omega / a_k) = (m + 1/2) pi,   m = -n/2 ... n/2 - 1,
 *
 * one root for each m, since the left side grows with omega. All in O(n^2), where a general solver takes O(n^3).
 */
export function separableEigen(p: Float64Array): SkewPair[] {
  const a = p.map((x) => x * x);
  const pairs: SkewPair[] = [];
  let root = 0;
  for (let m = 0; m < p.length / 2; m++) {
    root = nextRoot(a, (m + 0.5) * Math.PI, root);
    pairs.unshift({ omega: -root, vector: vectorOf(p, a, -root) });
  }
  return pairs;
}

/** Newton's method from below: the sum is concave for omega > 0, so that no step passes the root. */
function nextRoot(a: Float64Array, target: number, below: number): number {
  let omega = below;
  for (;;) {
    const next = omega + (target - angleSum(a, omega)) / slope(a, omega);
    if (!(next > omega * (1 + 2 * Number.EPSILON))) return Math.max(next, omega);
    omega = next;
  }
}

/** sum_k arctan(omega / a_k), with the low parts of the additions kept: it is compared with multiples of pi far above one ulp. */
function angleSum(a: Float64Array, omega: number): number {
  let sum = 0;
  let lost = 0;
  for (const x of a) {
    const angle = Math.atan2(omega, x);
    const next = sum + angle;
    lost += sum - next + angle;
    sum = next;
  }
  return sum + lost;
}

/** Its derivative, which is also the squared length of the eigenvector with w_0 = 1. */
function slope(a: Float64Array, omega: number): number {
  let sum = 0;
  for (const x of a) sum += x / (x * x + omega * omega);
  return sum;
}

function vectorOf(p: Float64Array, a: Float64Array, omega: number): Complex[] {
  const length = Math.sqrt(slope(a, omega));
  let w: Complex = { re: 1 / length, im: 0 };
  return Array.from(p, (pk, k) => {
    const x = a[k]!;
    const scale = 1 / (x * x + omega * omega);
    const v = { re: pk * scale * (w.re * x + w.im * omega), im: pk * scale * (w.im * x - w.re * omega) };
    // (i omega - a) / (i omega + a) = -(a - i omega)^2 / (a^2 + omega^2)
    const turn = { re: (omega * omega - x * x) * scale, im: 2 * x * omega * scale };
    w = { re: w.re * turn.re - w.im * turn.im, im: w.re * turn.im + w.im * turn.re };
    return v;
  });
}
