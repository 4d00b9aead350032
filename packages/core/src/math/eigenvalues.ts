import { ArgumentError, ShapeError } from "../errors.ts";
import {
  complexAbs,
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexMul,
  complexScale,
  complexSet,
  complexSqrt,
  complexSub,
  type Complex,
} from "./complex.ts";
import { Matrix } from "./matrix.ts";

/**
 * The eigenvalues of a general real matrix, sorted by imaginary, then real part.
 * A triangular matrix (HiPPO-LegS) shows its own on the diagonal, exactly: LegS is so far from normal that iterating on it at
 * n = 64 would return a ring instead. Others are balanced, reduced to Hessenberg form and run through the shifted complex QR algorithm
 * (Wilkinson, The Algebraic Eigenvalue Problem, chapter 8).
 * @returns [n, 2] (re, im), interleaved.
 * @throws ShapeError when A is not square; ArgumentError when it is not finite.
 */
export function eigenvalues(A: Matrix): Float64Array {
  const n = A.rows;
  if (A.cols !== n) throw new ShapeError(`eigenvalues: A must be square, got [${n}, ${A.cols}]`);
  if (!A.data.every(Number.isFinite)) throw new ArgumentError("eigenvalues: A must be finite");
  const found: Complex[] = isTriangular(A)
    ? Array.from({ length: n }, (_, k) => ({ re: A.at(k, k), im: 0 }))
    : hessenbergQr(hessenberg(balanced(A)));
  found.sort((a, b) => a.im - b.im || a.re - b.re);
  return Float64Array.from(found.flatMap((z) => [z.re, z.im]));
}

function isTriangular(A: Matrix): boolean {
  let lower = true,
    upper = true;
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < i; j++) {
      upper &&= A.at(i, j) === 0;
      lower &&= A.at(j, i) === 0;
    }
  }
  return lower || upper;
}

/** Scales rows and columns by powers of two until their norms are alike (Parlett, Reinsch 1969). */
function balanced(A: Matrix): Matrix {
  const n = A.rows;
  const out = new Matrix(n, n, A.data.slice());
  for (let changed = true; changed;) {
    changed = false;
    for (let k = 0; k < n; k++) {
      let row = 0,
        col = 0;
      for (let j = 0; j < n; j++) {
        if (j === k) continue;
        row += Math.abs(out.at(k, j));
        col += Math.abs(out.at(j, k));
      }
      if (row === 0 || col === 0) continue;
      const factor = 2 ** Math.round(Math.log2(row / col) / 2);
      if (col * factor + row / factor >= 0.95 * (col + row)) continue;
      changed = true;
      for (let j = 0; j < n; j++) {
        out.data[k * n + j] /= factor;
        out.data[j * n + k] *= factor;
      }
    }
  }
  return out;
}

/** Reduces to upper Hessenberg form by stabilised eliminations; returns it as an interleaved complex matrix. */
function hessenberg(A: Matrix): { n: number; h: Float64Array } {
  const n = A.rows;
  const a = A.data.slice();
  for (let k = 1; k < n - 1; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k - 1]) > Math.abs(a[pivot * n + k - 1])) pivot = i;
    if (a[pivot * n + k - 1] === 0) continue;
    for (let j = 0; j < n && pivot !== k; j++) [a[pivot * n + j], a[k * n + j]] = [a[k * n + j], a[pivot * n + j]];
    for (let j = 0; j < n && pivot !== k; j++) [a[j * n + pivot], a[j * n + k]] = [a[j * n + k], a[j * n + pivot]];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k - 1] / a[k * n + k - 1];
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
      for (let j = 0; j < n; j++) a[j * n + k] += factor * a[j * n + i];
    }
  }
  const h = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++) for (let j = Math.max(0, i - 1); j < n; j++) h[2 * (i * n + j)] = a[i * n + j];
  return { n, h };
}

/** Deflates eigenvalues from the bottom of the Hessenberg matrix, one at a time. */
function hessenbergQr({ n, h }: { n: number; h: Float64Array }): Complex[] {
  const found: Complex[] = [];
  const entry = (i: number, j: number): Complex => complexAt(h, i * n + j);
  for (let high = n - 1, step = 0; high >= 0; step++) {
    let low = high;
    while (low > 0) {
      const scale = complexAbs(entry(low, low)) + complexAbs(entry(low - 1, low - 1));
      if (complexAbs(entry(low, low - 1)) <= Number.EPSILON * scale) break;
      low--;
    }
    if (low === high) {
      found.push(entry(high, high));
      high--;
      step = -1;
      continue;
    }
    if (step > 100) throw new ArgumentError("eigenvalues: QR did not converge");
    // an exceptional shift now and then breaks the cycles that a symmetric pattern can fall into
    const shift = step % 10 === 9 ? complexAdd(entry(high, high), entry(high, high - 1)) : wilkinsonShift(entry, high);
    qrStep(h, n, low, high, shift);
  }
  return found;
}

/** The eigenvalue of the trailing 2 x 2 block that lies nearer to its last element. */
function wilkinsonShift(entry: (i: number, j: number) => Complex, high: number): Complex {
  const d = entry(high, high);
  const half = complexScale(complexSub(entry(high - 1, high - 1), d), 0.5);
  const product = complexMul(entry(high - 1, high), entry(high, high - 1));
  const root = complexSqrt(complexAdd(complexMul(half, half), product));
  const plus = complexAdd(half, root),
    minus = complexSub(half, root);
  const larger = complexAbs(plus) >= complexAbs(minus) ? plus : minus;
  return complexAbs(larger) === 0 ? d : complexSub(d, complexDiv(product, larger));
}

/** H - shift I = Q R by Givens rotations, then H <- R Q + shift I, on the block low..high. */
function qrStep(h: Float64Array, n: number, low: number, high: number, shift: Complex): void {
  const add = (z: Complex): void => {
    for (let k = low; k <= high; k++) complexSet(h, k * n + k, complexAdd(complexAt(h, k * n + k), z));
  };
  add(complexScale(shift, -1));
  const rotations: { c: Complex; s: Complex }[] = [];
  for (let k = low; k < high; k++) {
    const a = complexAt(h, k * n + k),
      b = complexAt(h, (k + 1) * n + k);
    const radius = Math.hypot(a.re, a.im, b.re, b.im);
    const c = radius === 0 ? { re: 1, im: 0 } : complexScale(a, 1 / radius);
    const s = radius === 0 ? { re: 0, im: 0 } : complexScale(b, 1 / radius);
    rotations.push({ c, s });
    for (let j = k; j <= high; j++) rotate(h, k * n + j, (k + 1) * n + j, complexConj(c), complexConj(s), c, s);
  }
  rotations.forEach(({ c, s }, index) => {
    const k = low + index;
    const last = Math.min(high, k + 1);
    for (let i = low; i <= last; i++) rotate(h, i * n + k, i * n + k + 1, c, s, complexConj(c), complexConj(s));
  });
  add(shift);
}

/** (x, y) <- (p x + q y, r y - t x) for elements x and y of h. */
function rotate(h: Float64Array, x: number, y: number, p: Complex, q: Complex, r: Complex, t: Complex): void {
  const a = complexAt(h, x),
    b = complexAt(h, y);
  complexSet(h, x, complexAdd(complexMul(p, a), complexMul(q, b)));
  complexSet(h, y, complexSub(complexMul(r, b), complexMul(t, a)));
}
