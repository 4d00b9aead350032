import { ArgumentError, ShapeError } from "../errors.ts";
import { Matrix } from "./matrix.ts";

/** P A = L U of a square matrix: L (unit diagonal, below) and U (on and above) share `lu`; row i of P A is row `pivots[i]` of A. */
export interface LuFactors {
  lu: Matrix; // [n, n]
  pivots: Int32Array; // [n]
}

/**
 * LU factorisation with partial pivoting.
 * @throws ShapeError when A is not square; ArgumentError when it is singular.
 */
export function luFactor(A: Matrix): LuFactors {
  const n = A.rows;
  if (A.cols !== n) throw new ShapeError(`luFactor: A must be square, got [${n}, ${A.cols}]`);
  const lu = new Matrix(n, n, A.data.slice());
  const pivots = Int32Array.from({ length: n }, (_, i) => i);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu.at(i, k)) > Math.abs(lu.at(pivot, k))) pivot = i;
    if (!(Math.abs(lu.at(pivot, k)) > 0)) throw new ArgumentError(`luFactor: A is singular at column ${k}`);
    if (pivot !== k) swapRows(lu, pivots, pivot, k);
    eliminateBelow(lu, k);
  }
  return { lu, pivots };
}

function swapRows(lu: Matrix, pivots: Int32Array, i: number, k: number): void {
  const n = lu.cols;
  const row = lu.data.slice(i * n, (i + 1) * n);
  lu.data.copyWithin(i * n, k * n, (k + 1) * n);
  lu.data.set(row, k * n);
  [pivots[i], pivots[k]] = [pivots[k], pivots[i]];
}

function eliminateBelow(lu: Matrix, k: number): void {
  const n = lu.cols;
  const { data } = lu;
  for (let i = k + 1; i < n; i++) {
    if (data[i * n + k] === 0) continue;
    const factor = (data[i * n + k] /= data[k * n + k]);
    for (let j = k + 1; j < n; j++) data[i * n + j] -= factor * data[k * n + j];
  }
}

/** X with A X = B for a factored A. B is [n, m]. */
export function luSolve(factors: LuFactors, B: Matrix): Matrix {
  const { lu, pivots } = factors;
  const n = lu.rows;
  const m = B.cols;
  if (B.rows !== n) throw new ShapeError(`luSolve: B must have ${n} rows, got [${B.rows}, ${m}]`);
  const X = Matrix.from(n, m, (i, j) => B.at(pivots[i], j));
  const x = X.data;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(x, m, i, k, lu.at(i, k));
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(x, m, i, k, lu.at(i, k));
    for (let j = 0; j < m; j++) x[i * m + j] /= lu.at(i, i);
  }
  return X;
}

function subtractRow(x: Float64Array, m: number, i: number, k: number, factor: number): void {
  if (factor === 0) return;
  for (let j = 0; j < m; j++) x[i * m + j] -= factor * x[k * m + j];
}

/** X with A X = B. @throws ArgumentError when A is singular. */
export function solveLinear(A: Matrix, B: Matrix): Matrix {
  return luSolve(luFactor(A), B);
}

/** The inverse of a square matrix. @throws ArgumentError when it is singular. */
export function invertMatrix(A: Matrix): Matrix {
  return solveLinear(A, Matrix.identity(A.rows));
}
