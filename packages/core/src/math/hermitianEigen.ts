import { ArgumentError, ShapeError } from "../errors.ts";
import { complexAbs, complexDiv, complexMul, type Complex } from "./complex.ts";
import { Matrix } from "./matrix.ts";

/** A complex matrix as two real ones of equal shape. */
export interface ComplexMatrix {
  re: Matrix; // [rows, cols]
  im: Matrix; // [rows, cols]
}

/** H = V diag(values) V^*, with V unitary; eigenvalues ascend and column j of V belongs to values[j]. */
export interface HermitianEigen {
  values: Float64Array; // [n]
  vectors: ComplexMatrix; // [n, n]
}

/** The reduction works on flat row-major arrays; row k of `z` is column k of V^T, so that rotations run along memory. */
interface Workspace {
  n: number;
  hr: Float64Array; // [n, n]
  hi: Float64Array; // [n, n]
  zr: Float64Array; // [n, n]
  zi: Float64Array; // [n, n]
}

/**
 * The eigenvalues and orthonormal eigenvectors of a complex Hermitian matrix.
 * Householder reflections make it tridiagonal, a diagonal of phases makes that real, and implicit QL diagonalises it:
 * n complex vectors come out directly, also for repeated eigenvalues, where the real embedding of size 2n would have to be sorted apart.
 * Only the lower triangle is read. Source: EISPACK's htridi and imtql2 (Wilkinson, Reinsch 1971).
 * @throws ShapeError when H is not square; ArgumentError when it holds NaN.
 */
export function hermitianEigen(H: ComplexMatrix): HermitianEigen {
  const n = H.re.rows;
  if (H.re.cols !== n || H.im.rows !== n || H.im.cols !== n) {
    throw new ShapeError(`hermitianEigen: H must be square, got [${n}, ${H.re.cols}] and [${H.im.rows}, ${H.im.cols}]`);
  }
  const work = mirrorLowerTriangle(H);
  for (let k = 0; k < n - 2; k++) reflectColumn(work, k);
  const diagonal = Float64Array.from({ length: n }, (_, k) => work.hr[k * n + k]);
  const offDiagonal = makeOffDiagonalReal(work);
  implicitQl(diagonal, offDiagonal, work);
  const order = [...diagonal.keys()].sort((i, j) => diagonal[i] - diagonal[j]);
  return {
    values: Float64Array.from(order, (k) => diagonal[k]),
    vectors: {
      re: Matrix.from(n, n, (i, j) => work.zr[order[j] * n + i]),
      im: Matrix.from(n, n, (i, j) => work.zi[order[j] * n + i]),
    },
  };
}

function mirrorLowerTriangle(H: ComplexMatrix): Workspace {
  const n = H.re.rows;
  const identity = Matrix.identity(n).data;
  return {
    n,
    hr: Matrix.from(n, n, (i, j) => (i >= j ? H.re.at(i, j) : H.re.at(j, i))).data,
    hi: Matrix.from(n, n, (i, j) => (i > j ? H.im.at(i, j) : i < j ? -H.im.at(j, i) : 0)).data,
    zr: identity,
    zi: new Float64Array(n * n),
  };
}

/** Maps column k below the diagonal onto a multiple of its first unit vector: H <- Q H Q, V <- V Q with Q = I - 2 v v^*. */
function reflectColumn(work: Workspace, k: number): void {
  const { n, hr, hi } = work;
  const vr = new Float64Array(n),
    vi = new Float64Array(n);
  let below = 0;
  for (let i = k + 1; i < n; i++) {
    vr[i] = hr[i * n + k];
    vi[i] = hi[i * n + k];
    if (i > k + 1) below = Math.hypot(below, vr[i], vi[i]);
  }
  if (below === 0) return;
  const head = Math.hypot(vr[k + 1], vi[k + 1]);
  const norm = Math.hypot(head, below);
  const phase: Complex = head > 0 ? { re: vr[k + 1] / head, im: vi[k + 1] / head } : { re: 1, im: 0 };
  vr[k + 1] += phase.re * norm;
  vi[k + 1] += phase.im * norm;
  const length = Math.hypot(head + norm, below);
  for (let i = k + 1; i < n; i++) {
    vr[i] /= length;
    vi[i] /= length;
  }
  reflectBothSides(work, k, vr, vi);
  reflectVectors(work, k, vr, vi);
}

/** With p = H v and s = v^* p: Q H Q = H - v w^* - w v^* for w = 2 p - 2 s v. */
function reflectBothSides(work: Workspace, k: number, vr: Float64Array, vi: Float64Array): void {
  const { n, hr, hi } = work;
  const wr = new Float64Array(n),
    wi = new Float64Array(n);
  let s = 0;
  for (let i = k; i < n; i++) {
    let sumR = 0,
      sumI = 0;
    for (let j = k + 1; j < n; j++) {
      sumR += hr[i * n + j] * vr[j] - hi[i * n + j] * vi[j];
      sumI += hr[i * n + j] * vi[j] + hi[i * n + j] * vr[j];
    }
    s += vr[i] * sumR + vi[i] * sumI;
    wr[i] = 2 * sumR;
    wi[i] = 2 * sumI;
  }
  for (let i = k; i < n; i++) {
    wr[i] -= 2 * s * vr[i];
    wi[i] -= 2 * s * vi[i];
  }
  for (let i = k; i < n; i++) {
    for (let j = k; j < n; j++) {
      hr[i * n + j] -= vr[i] * wr[j] + vi[i] * wi[j] + wr[i] * vr[j] + wi[i] * vi[j];
      hi[i * n + j] -= vi[i] * wr[j] - vr[i] * wi[j] + wi[i] * vr[j] - wr[i] * vi[j];
    }
  }
}

/** V <- V Q on the rows of z = V^T: z <- Q^T z = z - 2 conj(v) (v^T z). */
function reflectVectors(work: Workspace, k: number, vr: Float64Array, vi: Float64Array): void {
  const { n, zr, zi } = work;
  const sumR = new Float64Array(n),
    sumI = new Float64Array(n);
  for (let i = k + 1; i < n; i++) {
    for (let j = 0; j < n; j++) {
      sumR[j] += vr[i] * zr[i * n + j] - vi[i] * zi[i * n + j];
      sumI[j] += vr[i] * zi[i * n + j] + vi[i] * zr[i * n + j];
    }
  }
  for (let i = k + 1; i < n; i++) {
    for (let j = 0; j < n; j++) {
      zr[i * n + j] -= 2 * (vr[i] * sumR[j] + vi[i] * sumI[j]);
      zi[i * n + j] -= 2 * (vr[i] * sumI[j] - vi[i] * sumR[j]);
    }
  }
}

/** Moves the phases of the off-diagonal into the vectors; returns the absolute values, with a trailing 0. */
function makeOffDiagonalReal(work: Workspace): Float64Array {
  const { n, hr, hi, zr, zi } = work;
  const magnitudes = new Float64Array(n);
  let phase: Complex = { re: 1, im: 0 };
  for (let k = 0; k < n - 1; k++) {
    const entry = { re: hr[(k + 1) * n + k], im: hi[(k + 1) * n + k] };
    magnitudes[k] = complexAbs(entry);
    if (magnitudes[k] > 0) phase = complexDiv(complexMul(phase, entry), { re: magnitudes[k], im: 0 });
    for (let j = 0; j < n; j++) {
      const z = complexMul(phase, { re: zr[(k + 1) * n + j], im: zi[(k + 1) * n + j] });
      zr[(k + 1) * n + j] = z.re;
      zi[(k + 1) * n + j] = z.im;
    }
  }
  return magnitudes;
}

/** Diagonalises the real symmetric tridiagonal (d, e) in place, carrying the rotations into the rows of z. */
function implicitQl(d: Float64Array, e: Float64Array, work: Workspace): void {
  const n = d.length;
  const norm = d.reduce((max, x, i) => Math.max(max, Math.abs(x) + Math.abs(e[i])), 0);
  if (Number.isNaN(norm)) throw new ArgumentError("hermitianEigen: H must not hold NaN");
  const negligible = (k: number): boolean =>
    // relative to the neighbours as usual; a tenth of a rounding of the whole matrix lets repeated zeros split as well
    Math.abs(e[k]) <= Number.EPSILON * Math.max(Math.abs(d[k]) + Math.abs(d[k + 1]), 0.1 * norm);
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m < n - 1 && !negligible(m)) m++;
      if (m === l) break;
      if (sweep > 60) throw new ArgumentError("hermitianEigen: QL did not converge; H must be finite");
      qlSweep(d, e, l, m, work);
    }
  }
}

/** One implicit QL step with Wilkinson's shift on the unreduced block l..m. */
function qlSweep(d: Float64Array, e: Float64Array, l: number, m: number, work: Workspace): void {
  const ratio = (d[l + 1] - d[l]) / (2 * e[l]);
  let g = d[m] - d[l] + e[l] / (ratio + Math.sign(ratio || 1) * Math.hypot(ratio, 1));
  let sine = 1,
    cosine = 1,
    shift = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const radius = Math.hypot(f, g);
    e[i + 1] = radius;
    if (radius === 0) {
      d[i + 1] -= shift;
      e[m] = 0;
      return;
    }
    sine = f / radius;
    cosine = g / radius;
    const base = d[i + 1] - shift;
    const r = (d[i] - base) * sine + 2 * cosine * b;
    shift = sine * r;
    d[i + 1] = base + shift;
    g = cosine * r - b;
    rotateRows(work.zr, work.n, i, cosine, sine);
    rotateRows(work.zi, work.n, i, cosine, sine);
  }
  d[l] -= shift;
  e[l] = g;
  e[m] = 0;
}

function rotateRows(z: Float64Array, n: number, i: number, cosine: number, sine: number): void {
  const upper = i * n,
    lower = (i + 1) * n;
  for (let j = 0; j < n; j++) {
    const f = z[lower + j];
    z[lower + j] = sine * z[upper + j] + cosine * f;
    z[upper + j] = cosine * z[upper + j] - sine * f;
  }
}

/** The conjugate transpose. */
export function conjugateTransposed(M: ComplexMatrix): ComplexMatrix {
  return { re: M.re.transposed(), im: M.im.transposed().scaled(-1) };
}

/** The product of two complex matrices. */
export function complexTimes(A: ComplexMatrix, B: ComplexMatrix): ComplexMatrix {
  return { re: A.re.times(B.re).minus(A.im.times(B.im)), im: A.re.times(B.im).plus(A.im.times(B.re)) };
}
