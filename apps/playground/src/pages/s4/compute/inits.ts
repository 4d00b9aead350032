import { Rng } from "@statespace/core";
import { bilinear, discretizeDiagonal, zeroOrderHold } from "@statespace/core/discretization";
import { makeHippoLegS, makeNplr } from "@statespace/core/hippo";
import { complexAt, complexExp, complexMul, complexScale, Matrix, solveLinear } from "@statespace/core/math";
import { s4Start } from "@statespace/models";
import { TAPS, type InitName, type TargetName } from "./names.ts";

/** The eigenvalues that a block of the models package starts with, one of each conjugate pair, [n / 2, 2]. */
export function startingEigenvalues(init: InitName, n: number): Float64Array {
  return Float64Array.from(s4Start({ mode: "diag", init, dState: n, rank: 1 }, new Rng(3)).A);
}

/** What each state contributes to a filter: rows [n, TAPS], so that a filter is C times them. */
export function basisOf(init: InitName, n: number, delta: number): Matrix {
  return init === "legs" ? denseBasis(n, delta) : diagonalBasis(startingEigenvalues(init, n), n, delta);
}

/** S4 keeps A whole (normal plus low rank stands for it): ABar^t BBar. */
function denseBasis(n: number, delta: number): Matrix {
  const { A, B } = makeHippoLegS(n);
  const { ABar, BBar } = bilinear.dense(A, B, delta);
  const out = new Matrix(n, TAPS);
  let response: Float64Array = BBar.data;
  for (let t = 0; t < TAPS; t++) {
    for (let i = 0; i < n; i++) out.data[i * TAPS + t] = response[i]!;
    response = ABar.apply(response);
  }
  return out;
}

/** S4D: real and imaginary part of each ABar_n^t BBar_n, times 2 for the conjugate. */
function diagonalBasis(A: Float64Array, n: number, delta: number): Matrix {
  const ones = A.map((_, i) => (i % 2 === 0 ? 1 : 0));
  const { BBar } = discretizeDiagonal(zeroOrderHold, A, ones, delta);
  const out = new Matrix(n, TAPS);
  for (let k = 0; k < n / 2; k++) {
    for (let t = 0; t < TAPS; t++) {
      const term = complexMul(complexExp(complexScale(complexAt(A, k), delta * t)), complexAt(BBar, k));
      out.data[2 * k * TAPS + t] = 2 * term.re;
      out.data[(2 * k + 1) * TAPS + t] = -2 * term.im;
    }
  }
  return out;
}

/** The first rows that are anything at all: the imaginary part of a real eigenvalue contributes nothing, and a plot of it shows nothing. */
export function firstWaves(basis: Matrix, count: number): Float64Array[] {
  const rows = Array.from({ length: basis.rows }, (_, i) => basis.block(i, 0, 1, basis.cols).data);
  return rows.filter((row) => row.some((value) => Math.abs(value) > 1e-12)).slice(0, count);
}

/** A filter one might want: an echo of the input `lag` steps ago, the mean over the last `lag` steps, a damped tone of that period. */
export function target(name: TargetName, lag: number): Float64Array {
  return Float64Array.from({ length: TAPS }, (_, t) => {
    if (name === "echo") return Math.exp(-(((t - lag) / 6) ** 2) / 2);
    if (name === "boxcar") return t < lag ? 1 : 0;
    return Math.exp(-t / 80) * Math.cos((2 * Math.PI * t) / Math.max(8, lag / 2));
  });
}

export interface Fit {
  readonly filter: Float64Array; // [TAPS]
  /** Error of the filter relative to the target, both as root mean squares. */
  readonly error: number;
}

/** The best filter of this form: C by least squares, with a ridge that keeps it within what float32 training could reach. */
export function fitFilter(basis: Matrix, wanted: Float64Array): Fit {
  const gram = basis.times(basis.transposed());
  const ridge = 1e-7 * gram.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const C = solveLinear(gram.plus(Matrix.identity(basis.rows), ridge), Matrix.column(basis.apply(wanted))).data;
  const filter = basis.transposed().apply(C);
  const norm = (values: Float64Array): number => Math.hypot(...values);
  return { filter, error: norm(filter.map((value, t) => value - wanted[t]!)) / norm(wanted) };
}

/** HiPPO-LegS as normal plus low rank: its eigenvalues and the vector P of the correction. */
export function legsNplr(n: number): { lambda: Float64Array; lowRank: number } {
  const { Lambda, P } = makeNplr("legs", n);
  return { lambda: Float64Array.from(Lambda.data), lowRank: Math.hypot(...P.data) };
}
