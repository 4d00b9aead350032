import { ArgumentError, ShapeError } from "../errors.ts";
import { solveLinear } from "./linearSolve.ts";
import { Matrix } from "./matrix.ts";

/** Numerator coefficients of the [13/13] Pade approximant of exp; the denominator has the same with alternating signs. */
const PADE_13 = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
];

/** Largest 1-norm at which [13/13] has a backward error below 2^-53 (Higham 2005, table 2.3). */
const THETA_13 = 5.371920351148152;

/**
 * The matrix exponential exp(A), by scaling and squaring of the [13/13] Pade approximant.
 * A is [n, n]. Source: N. Higham, The scaling and squaring method for the matrix exponential revisited (2005), algorithm 2.3,
 * without the lower-degree shortcuts.
 * @throws ShapeError when A is not square; ArgumentError when it holds NaN or infinity.
 */
export function matrixExp(A: Matrix): Matrix {
  if (A.rows !== A.cols) throw new ShapeError(`matrixExp: A must be square, got [${A.rows}, ${A.cols}]`);
  const norm = A.norm1();
  if (!Number.isFinite(norm)) throw new ArgumentError("matrixExp: A must be finite");
  const squarings = norm > THETA_13 ? Math.ceil(Math.log2(norm / THETA_13)) : 0;
  let E = pade13(A.scaled(2 ** -squarings));
  for (let i = 0; i < squarings; i++) E = E.times(E);
  return E;
}

function pade13(A: Matrix): Matrix {
  const b = PADE_13;
  const I = Matrix.identity(A.rows);
  const A2 = A.times(A);
  const A4 = A2.times(A2);
  const A6 = A2.times(A4);
  const odd = A6.times(A6.scaled(b[13]).plus(A4, b[11]).plus(A2, b[9]))
    .plus(A6, b[7])
    .plus(A4, b[5])
    .plus(A2, b[3])
    .plus(I, b[1]);
  const U = A.times(odd);
  const V = A6.times(A6.scaled(b[12]).plus(A4, b[10]).plus(A2, b[8]))
    .plus(A6, b[6])
    .plus(A4, b[4])
    .plus(A2, b[2])
    .plus(I, b[0]);
  return solveLinear(V.minus(U), V.plus(U));
}

/**
 * The gradient of a scalar with respect to A, given its gradient G with respect to exp(A); both [n, n].
 * The Frechet derivative L(A, E) is the upper right block of exp([[A, E], [0, A]]) and its adjoint is L(A^T, G)
 * (Higham, Functions of Matrices, section 3.2).
 */
export function matrixExpVjp(A: Matrix, G: Matrix): Matrix {
  const n = A.rows;
  const At = A.transposed();
  const augmented = new Matrix(2 * n, 2 * n).withBlock(0, 0, At).withBlock(n, n, At).withBlock(0, n, G);
  return matrixExp(augmented).block(0, n, n, n);
}
