import { ArgumentError } from "../errors.ts";
import { complexAbs, complexAdd, complexConj, complexMul, complexScale, type Complex } from "../math/complex.ts";
import { hermitianEigen } from "../math/hermitianEigen.ts";
import { Matrix } from "../math/matrix.ts";
import { ndzeros, type NdArray } from "../math/ndarray.ts";
import { separableEigen } from "./separableEigen.ts";
import { makeHippo, type HippoMeasure } from "./transition.ts";

/**
 * A HiPPO matrix as normal plus low rank, in the basis that diagonalises the normal part:
 * A = V (diag(Lambda) - P P^*) V^* with V unitary. Of every conjugate pair only the member with Im Lambda <= 0 is kept,
 * so that a real quantity is 2 Re of the sum over the half kept.
 */
export interface Nplr {
  Lambda: NdArray; // [nHalf, 2]
  P: NdArray; // [rank, nHalf, 2]
  B: NdArray; // [nHalf, 2]
  V: NdArray; // [n, nHalf, 2]
}

/**
 * Real rows p_r for which A + sum_r p_r p_r^T is normal (a multiple of I plus a skew-symmetric matrix).
 * Rank 1 for legs, lagt and fourier, 2 for legt, 0 (one row of zeros) for foud and fru; further rows are zeros.
 * @throws ArgumentError when `rank` is less than the measure needs.
 */
export function hippoRankCorrection(measure: HippoMeasure, n: number, rank?: number): Matrix {
  const { B } = makeHippo(measure, n);
  const b = B.data;
  const rows: Float64Array[] = [];
  if (measure === "legs") rows.push(Float64Array.from({ length: n }, (_, k) => Math.sqrt(k + 0.5)));
  else if (measure === "lagt") rows.push(new Float64Array(n).fill(Math.SQRT1_2));
  else if (measure === "fourier" || measure === "fout") rows.push(b.slice());
  else if (measure === "legt") {
    for (const parity of [1, 0])
      rows.push(Float64Array.from({ length: n }, (_, k) => (k % 2 === parity ? Math.sqrt(k + 0.5) : 0)));
  }
  const size = rank ?? Math.max(rows.length, 1);
  if (!Number.isInteger(size) || size < Math.max(rows.length, 1)) {
    throw new ArgumentError(
      `hippoRankCorrection: rank must be at least ${Math.max(rows.length, 1)} for ${measure}, got ${size}`,
    );
  }
  return Matrix.from(size, n, (r, k) => rows[r]?.[k] ?? 0);
}

/**
 * The normal plus low rank form of a HiPPO matrix. n must be even; `rank` pads P with rows of zeros.
 * A + P^T P = shift I + K with K skew-symmetric, so -i K is Hermitian and its eigenvectors diagonalise A + P^T P unitarily.
 * For legs and lagt they come in O(n^2) (see `separableEigen`).
 * Each eigenvector's free phase is set so that its entry of B is real and positive; Lambda ascends by imaginary part.
 * Source: S4 (arXiv 2111.00396) theorem 1 and appendix C; the official code leaves the phases as its solver returns them.
 * @throws ArgumentError when n is odd or rank too small.
 */
export function makeNplr(measure: HippoMeasure, n: number, rank?: number): Nplr {
  if (n % 2 !== 0) throw new ArgumentError(`makeNplr: n must be even (conjugate pairs), got ${n}`);
  const { A, B } = makeHippo(measure, n);
  const lowRank = hippoRankCorrection(measure, n, rank); // [rank, n]
  if (measure === "legs" || measure === "lagt") {
    // The normal part is -I/2 (legs), 0 (lagt), and p_i p_j sign(j - i): known in closed form.
    const pairs = separableEigen(lowRank.data.slice(0, n));
    const half = pairs.map(({ vector }) => withPositiveOverlap(vector, B));
    const shift = measure === "legs" ? -0.5 : 0;
    return assemble(
      Float64Array.from(pairs, ({ omega }) => omega),
      shift,
      half,
      lowRank,
      B,
    );
  }
  const normal = A.plus(lowRank.transposed().times(lowRank));
  const shift = normal.data.reduce((sum, x, i) => (i % (n + 1) === 0 ? sum + x / n : sum), 0);
  const K = Matrix.from(n, n, (i, j) => (normal.at(i, j) - normal.at(j, i)) / 2);
  const { values, vectors } = hermitianEigen({ re: new Matrix(n, n), im: K.scaled(-1) });
  const columns = Array.from({ length: n }, (_, j) => columnOf(vectors.re, vectors.im, j));
  const half = pairNullSpace(values.subarray(0, n / 2), columns, K).map((v) => withPositiveOverlap(v, B));
  return assemble(values, shift, half, lowRank, B);
}

function columnOf(re: Matrix, im: Matrix, j: number): Complex[] {
  return Array.from({ length: re.rows }, (_, i) => ({ re: re.at(i, j), im: im.at(i, j) }));
}

/**
 * Where K is singular, eigenvectors to 0 come in no particular basis, and a half of them need not be conjugate to the rest.
 * The null space of a real matrix has a real basis a_0, b_0, a_1, b_1, ...; (a + i b) / sqrt(2) and its conjugate are the pairs sought.
 */
function pairNullSpace(lower: Float64Array, columns: Complex[][], K: Matrix): Complex[][] {
  const n = columns.length;
  const zero = n * Number.EPSILON * K.norm1(); // what an eigenvalue 0 may come out as
  const nullPairs = lower.reduce((count, value) => (Math.abs(value) <= zero ? count + 1 : count), 0);
  const regular = columns.slice(0, n / 2 - nullPairs);
  if (nullPairs === 0) return regular;
  const candidates = columns
    .slice(n / 2 - nullPairs, n / 2 + nullPairs)
    .flatMap((v) => [v.map((z) => z.re), v.map((z) => z.im)]);
  const real = orthonormalRows(candidates, 2 * nullPairs);
  const pairs = Array.from({ length: nullPairs }, (_, p) =>
    real[2 * p].map((a, i) => ({ re: a * Math.SQRT1_2, im: real[2 * p + 1][i] * Math.SQRT1_2 })),
  );
  return [...regular, ...pairs];
}

/** Gram-Schmidt that always takes the longest remainder next, so that no direction rests on cancellation; each is cleaned twice. */
function orthonormalRows(candidates: number[][], count: number): number[][] {
  const rest = candidates.map((v) => [...v]);
  const norm = (v: number[]): number => Math.hypot(...v);
  const remove = (v: number[], q: number[]): void => {
    const overlap = v.reduce((sum, x, i) => sum + x * q[i], 0);
    q.forEach((x, i) => (v[i] -= overlap * x));
  };
  const basis: number[][] = [];
  while (basis.length < count) {
    const longest = rest.reduce((best, v) => (norm(v) > norm(best) ? v : best));
    basis.forEach((q) => remove(longest, q));
    const length = norm(longest);
    const next = longest.map((x) => x / length);
    basis.push(next);
    rest.forEach((v) => remove(v, next));
  }
  return basis;
}

/** Turns v by a phase so that v^* B is real and positive; v stays as it is where B does not see it. */
function withPositiveOverlap(v: Complex[], B: Matrix): Complex[] {
  const overlap = overlapWith(v, B.data);
  const size = complexAbs(overlap);
  if (size <= Number.EPSILON * Math.hypot(...B.data)) return v;
  return v.map((z) => complexMul(z, complexScale(overlap, 1 / size)));
}

/** v^* b for a real b. */
function overlapWith(v: Complex[], b: ArrayLike<number>): Complex {
  return v.reduce((sum, z, i) => complexAdd(sum, complexScale(complexConj(z), b[i])), { re: 0, im: 0 });
}

function assemble(values: Float64Array, shift: number, half: Complex[][], lowRank: Matrix, B: Matrix): Nplr {
  const nHalf = half.length;
  const rank = lowRank.rows;
  const out: Nplr = {
    Lambda: ndzeros([nHalf, 2]),
    P: ndzeros([rank, nHalf, 2]),
    B: ndzeros([nHalf, 2]),
    V: ndzeros([2 * nHalf, nHalf, 2]),
  };
  const put = (to: NdArray, index: number, z: Complex): void => to.data.set([z.re, z.im], 2 * index);
  half.forEach((v, j) => {
    put(out.Lambda, j, { re: shift, im: values[j] });
    put(out.B, j, overlapWith(v, B.data));
    for (let r = 0; r < rank; r++) {
      put(out.P, r * nHalf + j, overlapWith(v, lowRank.data.subarray(r * lowRank.cols, (r + 1) * lowRank.cols)));
    }
    v.forEach((z, i) => put(out.V, i * nHalf + j, z));
  });
  return out;
}

/** The real matrix 2 Re V (diag(Lambda) - P P^*) V^*, with P P^* taken over both halves: the A that the form stands for. */
export function nplrToDense({ Lambda, P, V }: Pick<Nplr, "Lambda" | "P" | "V">): Matrix {
  const [n, nHalf] = V.shape;
  const rank = P.shape[0];
  const lowRank = Matrix.from(rank, n, (r, i) => doubleRealDot(V.data, i * nHalf, P.data, r * nHalf, nHalf));
  const turned = V.data.slice(); // V diag(Lambda)
  for (let i = 0; i < n * nHalf; i++) {
    const j = i % nHalf;
    const re = turned[2 * i],
      im = turned[2 * i + 1];
    turned[2 * i] = re * Lambda.data[2 * j] - im * Lambda.data[2 * j + 1];
    turned[2 * i + 1] = re * Lambda.data[2 * j + 1] + im * Lambda.data[2 * j];
  }
  const normal = Matrix.from(n, n, (i, k) => {
    let sum = 0;
    for (let j = 0; j < 2 * nHalf; j++) sum += turned[2 * i * nHalf + j] * V.data[2 * k * nHalf + j]; // Re x conj(y)
    return 2 * sum;
  });
  return normal.minus(lowRank.transposed().times(lowRank));
}

/** The real vector 2 Re V x for x of the half kept ([nHalf, 2]). */
export function nplrToReal(V: NdArray, x: ArrayLike<number>): Float64Array {
  const [n, nHalf] = V.shape;
  return Float64Array.from({ length: n }, (_, i) => doubleRealDot(V.data, i * nHalf, x, 0, nHalf));
}

/** 2 Re sum_j a_j b_j over `count` complex elements from the given complex offsets. */
function doubleRealDot(
  a: ArrayLike<number>,
  aStart: number,
  b: ArrayLike<number>,
  bStart: number,
  count: number,
): number {
  let sum = 0;
  for (let j = 0; j < count; j++) {
    sum += a[2 * (aStart + j)] * b[2 * (bStart + j)] - a[2 * (aStart + j) + 1] * b[2 * (bStart + j) + 1];
  }
  return 2 * sum;
}
