import { ArgumentError } from "../errors.ts";
import { Matrix } from "../math/matrix.ts";

/**
 * What a state remembers, named as the official code does:
 * `legs` the whole history alike (scaled Legendre); `legt` and `fourier` (= `fout`) a sliding window of length 2 (truncated Legendre, Fourier);
 * `lagt` an exponentially fading past (Laguerre); `foud` damped and `fru` undamped oscillators without a window (Fourier recurrent unit).
 */
export type HippoMeasure = "legs" | "legt" | "lagt" | "fourier" | "fout" | "foud" | "fru";

/**
 * What the state holds: the coefficients of orthonormal basis functions g_n, which are also the inner products of the history with them (`scaled`), or the
 * inner products with the plain polynomials and waves p_n = g_n / norm_n (`unscaled`). With norm_n as in `basisNorms` the second is the first divided by
 * norm_n. Neither is the coefficients of the plain functions: those are the first multiplied by norm_n, with the matrix T A T^{-1} instead of T^{-1} A T.
 */
export type HippoForm = "scaled" | "unscaled";

/** The state equation x'(t) = A x(t) + B u(t) of a HiPPO memory; for `legs` it is x' = (A x + B u) / t. */
export interface HippoMatrices {
  A: Matrix; // [n, n]
  B: Matrix; // [n, 1]
}

const builders: Record<HippoMeasure, (n: number, form: HippoForm) => HippoMatrices> = {
  legs: makeHippoLegS,
  legt: makeHippoLegT,
  lagt: makeHippoLagT,
  fourier: makeHippoFourier,
  fout: makeHippoFourier,
  foud: (n, form) => makeHippoFourierOscillators(n, 1 / 2, form),
  fru: (n, form) => makeHippoFourierOscillators(n, 0, form),
};

/**
 * The HiPPO matrices of a measure. n is the number of coefficients; the Fourier measures need an even one.
 * @throws ArgumentError when the measure is unknown or n does not fit it.
 */
export function makeHippo(measure: HippoMeasure, n: number, form: HippoForm = "scaled"): HippoMatrices {
  if (!Object.hasOwn(builders, measure)) {
    throw new ArgumentError(`makeHippo: measure must be one of ${Object.keys(builders).join(", ")}, got ${measure}`);
  }
  return builders[measure](n, form);
}

/**
 * Scaled Legendre (LegS): uniform memory of the whole history.
 *
 *   -A_nk = sqrt(2n+1) sqrt(2k+1) for n > k,  n+1 for n = k,  0 for n < k;  B_n = sqrt(2n+1)
 *
 * Unscaled, x_n is the inner product of the history with P_n instead of sqrt(2n+1) P_n, and the rows of -A read 1; 1 2; 1 3 3; 1 3 5 4; B = 1.
 * (The coefficients c_n of u = sum_n c_n P_n follow another matrix, with rows 1; 3 2; 5 5 3; 7 7 7 4 and B_n = 2n+1.)
 * Source: HiPPO (arXiv 2008.07669) theorem 2, equation 3.
 */
export function makeHippoLegS(n: number, form: HippoForm = "scaled"): HippoMatrices {
  expectSize("makeHippoLegS", n);
  const r = basisNorms("legs", n);
  const A = Matrix.from(n, n, (i, k) => (i > k ? -r[i] * r[k] : i === k ? -(i + 1) : 0));
  return inForm("legs", { A, B: Matrix.column(r) }, form);
}

/**
 * Translated Legendre (LegT): uniform memory of a sliding window of length 2; for a window w, multiply A and B by 2 / w.
 *
 *   -A_nk = sqrt(2n+1) sqrt(2k+1) / 2 for n >= k, with an added (-1)^(n-k) for n < k;  B_n = sqrt(2n+1) / 2
 *
 * Source: HiPPO (arXiv 2008.07669) theorem 1, in the orthonormal normalisation and time scale of the official code.
 */
export function makeHippoLegT(n: number, form: HippoForm = "scaled"): HippoMatrices {
  expectSize("makeHippoLegT", n);
  const r = basisNorms("legt", n);
  const A = Matrix.from(n, n, (i, k) => -0.5 * r[i] * r[k] * (i < k && (k - i) % 2 === 1 ? -1 : 1));
  return inForm("legt", { A, B: Matrix.column(r.map((x) => 0.5 * x)) }, form);
}

/**
 * Translated Laguerre (LagT): memory that fades as exp(-age). -A is 1/2 on the diagonal and 1 below it; B = 1.
 * The basis exp(-age/2) L_n(age) is orthonormal as it stands, so both forms agree.
 * Source: HiPPO (arXiv 2008.07669) theorem 1 with alpha = 0, beta = 1, as the official code tilts it.
 */
export function makeHippoLagT(n: number, form: HippoForm = "scaled"): HippoMatrices {
  expectSize("makeHippoLagT", n);
  const A = Matrix.from(n, n, (i, k) => (i > k ? -1 : i === k ? -0.5 : 0));
  return inForm("lagt", { A, B: Matrix.from(n, 1, () => 1) }, form);
}

/**
 * Truncated Fourier (FouT): a sliding window of length 2 in the basis 1, sqrt(2) cos(pi k age), sqrt(2) sin(pi k age).
 * A = K - B B^T, with K the rotations by pi k and B the basis at age 0; state 1 (the sine of frequency 0) stays 0.
 * Source: How to Train Your HiPPO (arXiv 2206.12037) section 4.2, at half its speed as the official code has it.
 */
export function makeHippoFourier(n: number, form: HippoForm = "scaled"): HippoMatrices {
  expectEven("makeHippoFourier", n);
  const B = basisAtZero(n);
  const A = rotations(n, Math.PI).minus(B.times(B.transposed()));
  return inForm("fourier", { A, B }, form);
}

/**
 * Oscillators at the frequencies 2 pi k with a common damping: `foud` for damping 1/2 (near S4D-Lin), `fru` for none.
 * They never forget by a window, so that the state is a running Fourier transform rather than coefficients of the history.
 */
export function makeHippoFourierOscillators(n: number, damping: number, form: HippoForm = "scaled"): HippoMatrices {
  expectEven("makeHippoFourierOscillators", n);
  const A = rotations(n, 2 * Math.PI).plus(Matrix.identity(n), -damping);
  return inForm("foud", { A, B: basisAtZero(n) }, form);
}

/** By what an orthonormal basis function exceeds the plain one (P_n, wave), one over the plain one's norm: T in x_scaled = T x_unscaled. */
export function basisNorms(measure: HippoMeasure, n: number): Float64Array {
  switch (measure) {
    case "legs":
    case "legt":
      return Float64Array.from({ length: n }, (_, k) => Math.sqrt(2 * k + 1));
    case "lagt":
      return new Float64Array(n).fill(1);
    default:
      return Float64Array.from({ length: n }, (_, k) => (k < 2 ? 1 : Math.SQRT2));
  }
}

/** A_unscaled = T^{-1} A T and B_unscaled = T^{-1} B. */
function inForm(measure: HippoMeasure, scaled: HippoMatrices, form: HippoForm): HippoMatrices {
  if (form === "scaled") return scaled;
  if (form !== "unscaled") throw new ArgumentError(`makeHippo: form must be scaled or unscaled, got ${String(form)}`);
  const n = scaled.A.rows;
  const t = basisNorms(measure, n);
  if (measure === "legs" || measure === "legt") return unscaledLegendre(scaled, t);
  return {
    A: Matrix.from(n, n, (i, k) => (scaled.A.at(i, k) * t[k]) / t[i]),
    B: Matrix.from(n, 1, (i) => scaled.B.at(i, 0) / t[i]),
  };
}

/** The Legendre norms are square roots: the ratio r_i r_k * r_k / r_i is the integer r_k^2, which rounding restores exactly. */
function unscaledLegendre(scaled: HippoMatrices, t: Float64Array): HippoMatrices {
  const exact = (x: number): number => Math.round(2 * x) / 2; // LegT has halves
  return {
    A: Matrix.from(t.length, t.length, (i, k) => exact((scaled.A.at(i, k) * t[k]) / t[i])),
    B: Matrix.from(t.length, 1, (i) => exact(scaled.B.at(i, 0) / t[i])),
  };
}

/** Pairs of states that turn into each other at the frequencies 0, unit, 2 unit, ... */
function rotations(n: number, unit: number): Matrix {
  const K = new Matrix(n, n);
  for (let k = 2; k < n; k += 2) {
    K.data[k * n + k + 1] = -unit * (k / 2);
    K.data[(k + 1) * n + k] = unit * (k / 2);
  }
  return K;
}

function basisAtZero(n: number): Matrix {
  return Matrix.from(n, 1, (k) => (k % 2 === 1 ? 0 : k === 0 ? 1 : Math.SQRT2));
}

function expectSize(op: string, n: number): void {
  if (!Number.isInteger(n) || n < 1) throw new ArgumentError(`${op}: n must be a positive integer, got ${n}`);
}

function expectEven(op: string, n: number): void {
  if (!Number.isInteger(n) || n < 2 || n % 2 !== 0)
    throw new ArgumentError(`${op}: n must be even (cosine and sine pairs), got ${n}`);
}
