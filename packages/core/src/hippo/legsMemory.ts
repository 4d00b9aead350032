import { ArgumentError } from "../errors.ts";
import { gaussLegendre, legendreBasis } from "./basis.ts";

/** How a step of x' = (A x + B u) / t is taken: by the trapezoid in O(n), or exactly for held input in O(n^2). */
export type LegSMethod = "bilinear" | "exact";

/**
 * Online compression of a signal into n Legendre coefficients of its whole history, however long that grows (HiPPO-LegS).
 * Feed samples with `push`, read `coefficients` at any time, and get the history back with `reconstruct`.
 *
 *     const memory = new LegSMemory(64);
 *     memory.pushAll(signal);
 *     const history = memory.reconstruct(); // one value for each sample pushed
 *
 * Source: HiPPO (arXiv 2008.07669) theorem 2 and appendix C. The exact form departs from the paper: it is the projection of the held
 * signal itself, taken by Gauss quadrature instead of through the matrix exponential of A log(k / (k - 1)), whose norm grows as n^2.
 */
export class LegSMemory {
  /** Coefficients against sqrt(2k+1) P_k over the history. */
  readonly coefficients: Float64Array; // [n]
  readonly method: LegSMethod;
  /** Samples seen. */
  length = 0;
  private readonly quadrature: Quadrature | null;

  /** @throws ArgumentError when n is not a positive integer or the method is unknown. */
  constructor(n: number, method: LegSMethod = "bilinear") {
    if (!Number.isInteger(n) || n < 1) throw new ArgumentError(`LegSMemory: n must be a positive integer, got ${n}`);
    if (method !== "bilinear" && method !== "exact")
      throw new ArgumentError(`LegSMemory: method must be bilinear or exact, got ${String(method)}`);
    this.coefficients = new Float64Array(n);
    this.method = method;
    this.quadrature = method === "exact" ? new Quadrature(n) : null;
  }

  /** Takes the next sample. */
  push(u: number): void {
    this.length++;
    if (this.quadrature) this.quadrature.extend(this.coefficients, u, this.length);
    else bilinearStep(this.coefficients, u, this.length);
  }

  /** Takes a run of samples in order. */
  pushAll(samples: ArrayLike<number>): void {
    for (let i = 0; i < samples.length; i++) this.push(samples[i]);
  }

  /** A memory that goes on from here on its own. */
  clone(): LegSMemory {
    const copy = new LegSMemory(this.coefficients.length, this.method);
    copy.coefficients.set(this.coefficients);
    copy.length = this.length;
    return copy;
  }

  /**
   * The history at `count` evenly spaced moments, oldest first: the centres of `count` equal spans of it.
   * By default one value for each sample pushed. O(n) a value.
   */
  reconstruct(count: number = this.length): Float64Array {
    const n = this.coefficients.length;
    const basis = new Float64Array(n);
    return Float64Array.from({ length: count }, (_, i) => {
      legendreBasis(n, (2 * i + 1) / count - 1, basis);
      return dot(basis, this.coefficients);
    });
  }
}

/**
 * (I - A/2k) x_k = (I + A/2k) x_{k-1} + B u_k / k in O(n): below the diagonal A is the outer product -r_i r_j,
 * so that both the product and the forward substitution are running sums.
 */
function bilinearStep(x: Float64Array, u: number, k: number): void {
  const half = 1 / (2 * k);
  let sumOld = 0; // sum_{j<i} r_j x_j before the step
  let sumNew = 0; // and after it
  for (let i = 0; i < x.length; i++) {
    const r = Math.sqrt(2 * i + 1);
    const explicit = x[i] - half * (r * sumOld + (i + 1) * x[i]) + (r * u) / k;
    sumOld += r * x[i];
    x[i] = (explicit - half * r * sumNew) / (1 + half * (i + 1));
    sumNew += r * x[i];
  }
}

/**
 * The exact step. After k samples the old history f fills the first (k-1)/k = s of the new one and u the rest. A constant u is the
 * coefficient vector u e_0, so with v = x - u e_0 the step is x <- u e_0 + E v, where (E v)_n = s int_0^1 f_v(a) phi_n(s a) da.
 * The integrand has degree 2n - 2: the n-point Gauss rule takes it exactly, and its positive weights keep it stable for any n.
 */
class Quadrature {
  private readonly nodes: Float64Array; // [n] in [-1, 1]
  private readonly weights: Float64Array; // [n]
  private readonly basis: Float64Array; // [n, n] phi_k at node j
  private readonly values: Float64Array; // [n] scratch
  private readonly scaled: Float64Array; // [n] scratch

  constructor(n: number) {
    const { nodes, weights } = gaussLegendre(n);
    this.nodes = nodes;
    this.weights = weights;
    this.basis = new Float64Array(n * n);
    nodes.forEach((x, j) => legendreBasis(n, x, this.basis.subarray(j * n, (j + 1) * n)));
    this.values = new Float64Array(n);
    this.scaled = new Float64Array(n);
  }

  extend(x: Float64Array, u: number, k: number): void {
    const n = x.length;
    const share = (k - 1) / k;
    x[0] -= u;
    for (let j = 0; j < n; j++)
      this.values[j] = share * this.weights[j] * dot(this.basis.subarray(j * n, (j + 1) * n), x);
    x.fill(0);
    for (let j = 0; j < n; j++) {
      legendreBasis(n, share * (this.nodes[j] + 1) - 1, this.scaled);
      const value = this.values[j];
      for (let i = 0; i < n; i++) x[i] += value * this.scaled[i];
    }
    x[0] += u;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
