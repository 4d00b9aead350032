import {
  eigenvalues,
  invertMatrix,
  luFactor,
  luSolve,
  Matrix,
  matrixExp,
  matrixExpVjp,
  solveLinear,
} from "@statespace/core/math";

const A = new Matrix(2, 2, Float64Array.of(0, 1, -1, 0)); // a rotation
console.log(matrixExp(A.scaled(Math.PI)).data); // half a turn: -1 0, 0 -1
console.log(eigenvalues(A), invertMatrix(A).data); // +-i; its transpose
const b = new Matrix(2, 1, Float64Array.of(1, 2));
console.log(solveLinear(A, b).data, luSolve(luFactor(A), b).data); // the same
console.log(matrixExpVjp(A, new Matrix(2, 2, Float64Array.of(1, 0, 0, 1))).data); // the gradient of exp(A)'s trace
