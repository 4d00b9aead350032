import { Rng } from "@statespace/core";
import { makeHippo, makeNplr, nplrToDense, nplrToReal, type HippoMeasure, type Nplr } from "@statespace/core/hippo";
import {
  complexAbs,
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexMul,
  complexSub,
  Matrix,
  ndarray,
  type Complex,
} from "@statespace/core/math";
import type { GoldenRow, GoldenTensors } from "./row.ts";

const EPS = 2 ** -52;

/** The reference clamps the imaginary part of B to this (it matters only in whatever phases its eigensolver returned). */
const REFERENCE_B_CLIP = 2;

/**
 * Golden group `nplr`: Lambda, P, B, V of one half of the conjugate pairs. attrs: measure, n.
 * Eigenvectors are free up to a phase, so what is compared does not depend on it: eigenvalues, the matrix V (diag(Lambda) - P P^*) V^*,
 * the correction P P^*, V B, and the transfer function C (s - A)^{-1} B along the imaginary axis, whose inverse transform is the kernel.
 * The file's own B is compared in its own phases, after the clamp that the reference applies there.
 */
export function compareNplr(tensors: GoldenTensors, attrs: Record<string, unknown>): GoldenRow[] {
  const measure = attrs["measure"] as HippoMeasure;
  const n = Number(attrs["n"]);
  const golden = readGolden(tensors);
  const ours = makeNplr(measure, n, golden.P.shape[0]);
  const { A, B } = makeHippo(measure, n);
  const spread = Math.max(largest(golden.Lambda.data), 1);
  // the reference holds P of the Fourier measures in float32: sqrt 2 errs by 2^-24, and so does all that is made from it
  const single = measure === "fourier" || measure === "fout" ? 2 ** -24 : 0;
  const note = single > 0 ? "; the reference's P is rounded to float32" : "";
  const row = (
    tensor: string,
    actual: Float64Array,
    expected: Float64Array,
    bound: number,
    reason: string,
  ): GoldenRow => ({
    tensor,
    actual,
    expected,
    bound,
    reason,
  });
  const matrixBound = 4 * EPS * n * (spread + largest(A.data));
  const rebuilt = "columns of V err by n roundings, weighed by the largest eigenvalue and |p|^2";
  const lowRank = lowRankProduct(golden);
  return [
    row(
      "Lambda",
      sortedEigenvalues(ours),
      sortedEigenvalues(golden),
      4 * EPS * n * spread + 4 * single,
      `a backward stable eigensolver moves eigenvalues by n roundings of the largest${note}`,
    ),
    row("V(Lambda-PP*)V*", nplrToDense(ours).data, nplrToDense(golden).data, matrixBound + 8 * single, rebuilt + note),
    row("V(Lambda-PP*)V* = A", nplrToDense(ours).data, A.data, matrixBound, rebuilt),
    row(
      "VPP*V*",
      lowRankProduct(ours),
      lowRank,
      4 * EPS * (n + 8) * Math.max(largest(lowRank), 1) + 4 * single,
      `n roundings a sum of p_i p_j${note}`,
    ),
    row(
      "VB = B",
      nplrToReal(ours.V, ours.B.data),
      B.data,
      4 * EPS * n * Math.max(largest(B.data), 1),
      "V V^* = I up to n roundings",
    ),
    inputRow(ours, golden, n, spread, single),
    transferRow(ours, golden, B.data, single),
  ];
}

function readGolden(tensors: GoldenTensors): Nplr {
  const read = (name: keyof Nplr): Nplr["P"] =>
    ndarray(tensors[`out.${name}`].shape, Float64Array.from(tensors[`out.${name}`].data));
  return { Lambda: read("Lambda"), P: read("P"), B: read("B"), V: read("V") };
}

/** Ascending by |Im|, with either member of a pair standing for both. */
function sortedEigenvalues({ Lambda }: Nplr): Float64Array {
  const pairs = Array.from({ length: Lambda.shape[0] }, (_, j) => [
    Lambda.data[2 * j],
    Math.abs(Lambda.data[2 * j + 1]),
  ]);
  return Float64Array.from(pairs.sort((a, b) => a[1] - b[1]).flat());
}

/** The real [n, n] matrix sum_r p_r p_r^T, in which neither the rows' signs nor their order show. */
function lowRankProduct({ P, V }: Nplr): Float64Array {
  const [rank, nHalf] = P.shape;
  const rows = Array.from({ length: rank }, (_, r) =>
    nplrToReal(V, P.data.subarray(2 * r * nHalf, 2 * (r + 1) * nHalf)),
  );
  return Matrix.from(V.shape[0], V.shape[0], (i, k) => rows.reduce((sum, p) => sum + p[i] * p[k], 0)).data;
}

/** Our B, turned into the phases of the file's eigenvectors and clamped as the reference clamps it. */
function inputRow(ours: Nplr, golden: Nplr, n: number, spread: number, single: number): GoldenRow {
  const nHalf = golden.B.shape[0];
  const clip = golden.B.data.every((part, i) => i % 2 === 0 || Math.abs(part) <= REFERENCE_B_CLIP)
    ? REFERENCE_B_CLIP
    : Infinity;
  const actual = new Float64Array(2 * nHalf);
  for (let j = 0; j < nHalf; j++) {
    const { overlap, b } = alignedInput(ours, golden, j);
    const turned = complexMul(overlap, b); // v_golden^* v_ours times v_ours^* B
    actual.set([turned.re, Math.max(-clip, Math.min(clip, turned.im))], 2 * j);
  }
  const imaginary = Array.from({ length: nHalf }, (_, j) => Math.abs(golden.Lambda.data[2 * j + 1])).sort(
    (x, y) => x - y,
  );
  const gap = imaginary.reduce((least, x, k) => (k === 0 ? least : Math.min(least, x - imaginary[k - 1])), Infinity);
  const size = Math.max(largest(ours.B.data), 1);
  return {
    tensor: "B",
    actual,
    expected: golden.B.data,
    bound: 4 * EPS * n * Math.max(1, spread / gap) * size + 4 * single * size,
    reason: `an eigenvector errs by n roundings of the largest eigenvalue over the smallest gap${single > 0 ? "; the reference's P is rounded to float32" : ""}`,
  };
}

/** Of our eigenvectors and their conjugates, the one that the file's column j is a phase of. */
function alignedInput(ours: Nplr, golden: Nplr, j: number): { overlap: Complex; b: Complex } {
  const [n, nHalf] = golden.V.shape;
  let best = { overlap: { re: 0, im: 0 }, b: { re: 0, im: 0 } };
  for (let k = 0; k < nHalf; k++) {
    let plain: Complex = { re: 0, im: 0 };
    let mirrored: Complex = { re: 0, im: 0 };
    for (let i = 0; i < n; i++) {
      const left = complexConj(complexAt(golden.V.data, i * nHalf + j));
      const right = complexAt(ours.V.data, i * nHalf + k);
      plain = complexAdd(plain, complexMul(left, right));
      mirrored = complexAdd(mirrored, complexMul(left, complexConj(right)));
    }
    const b = complexAt(ours.B.data, k);
    if (complexAbs(plain) > complexAbs(best.overlap)) best = { overlap: plain, b };
    if (complexAbs(mirrored) > complexAbs(best.overlap)) best = { overlap: mirrored, b: complexConj(b) };
  }
  return best;
}

/** The transfer function at s = i omega, omega log-spaced over the poles' range, with a fixed random C; B enters unclamped, as V^* B. */
function transferRow(ours: Nplr, golden: Nplr, B: Float64Array, single: number): GoldenRow {
  const n = B.length;
  const C = new Rng(1).normals(n);
  const points = Array.from({ length: 24 }, (_, k): Complex => ({ re: 0, im: 0.1 * (40 * n) ** (k / 23) }));
  const project = (form: Nplr): Nplr => ({ ...form, B: ndarray(form.B.shape, conjugate(timesV(B, form))) });
  const response = points.map((s) => transfer(project(golden), C, s));
  const magnitude = Math.max(...response.map((r) => r.magnitude));
  return {
    tensor: "C(s-A)^-1B",
    actual: Float64Array.from(points.flatMap((s) => Object.values(transfer(project(ours), C, s).value))),
    expected: Float64Array.from(response.flatMap((r) => Object.values(r.value))),
    bound: (32 * EPS * n + 16 * single) * magnitude,
    reason:
      "each sum of the Woodbury form rounds n times at the size of its largest terms; so do the eigenvectors in it",
  };
}

/** The row vector x^T V of a real x: [nHalf, 2]. */
function timesV(x: Float64Array, { V }: Nplr): Float64Array {
  const width = 2 * V.shape[1];
  return Float64Array.from({ length: width }, (_, j) =>
    x.reduce((sum, value, i) => sum + value * V.data[i * width + j], 0),
  );
}

function conjugate(x: Float64Array): Float64Array {
  return x.map((part, i) => (i % 2 === 1 ? -part : part));
}

/**
 * C (s - A)^{-1} B through S4's Cauchy sums and Woodbury's identity, R = (s - Lambda)^{-1} (arXiv 2111.00396, algorithm 1):
 * C R B - C R P (I + P^* R P)^{-1} P^* R B. `magnitude` is the same on absolute values: what roundings are relative to.
 */
function transfer(form: Nplr, C: Float64Array, s: Complex): { value: Complex; magnitude: number } {
  const rank = form.P.shape[0];
  const forms = bilinearForms(form, C, s); // row and column `rank` stand for C and B
  let magnitude = complexAbs(forms[rank][rank]);
  // the corrections one after another: with A_r = A_{r-1} - p_r p_r^*, Sherman-Morrison updates every x^* (s - A_r)^{-1} y
  for (let r = 0; r < rank; r++) {
    const denominator = complexAdd({ re: 1, im: 0 }, forms[r][r]);
    const column = forms.map((row) => row[r]);
    const pivot = [...forms[r]];
    for (let x = 0; x <= rank; x++) {
      for (let y = 0; y <= rank; y++) {
        const correction = complexDiv(complexMul(column[x], pivot[y]), denominator);
        if (x === rank && y === rank) magnitude = Math.max(magnitude, complexAbs(correction));
        forms[x][y] = complexSub(forms[x][y], correction);
      }
    }
  }
  return { value: forms[rank][rank], magnitude };
}

/** x^* (s - Lambda)^{-1} y over both halves, for x among the rows of P and C, y among the rows of P and B. */
function bilinearForms(form: Nplr, C: Float64Array, s: Complex): Complex[][] {
  const { Lambda, P, B } = form;
  const [rank, nHalf] = P.shape;
  const rows = Array.from({ length: rank }, (_, r) => P.data.subarray(2 * r * nHalf, 2 * (r + 1) * nHalf));
  const left = [...rows.map(conjugate), timesV(C, form)];
  const right = [...rows, B.data];
  return left.map((x) =>
    right.map((y) => {
      let sum: Complex = { re: 0, im: 0 };
      for (let j = 0; j < nHalf; j++) {
        const weight = complexMul(complexAt(x, j), complexAt(y, j));
        const lambda = complexAt(Lambda.data, j);
        sum = complexAdd(sum, complexDiv(weight, complexSub(s, lambda)));
        sum = complexAdd(sum, complexDiv(complexConj(weight), complexSub(s, complexConj(lambda))));
      }
      return sum;
    }),
  );
}

function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
}
