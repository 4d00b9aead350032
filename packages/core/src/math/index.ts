export { ndarray, ndclone, ndfill, ndround32, ndzeros, sizeOf, stridesOf } from "./ndarray.ts";
export type { NdArray } from "./ndarray.ts";
export {
  complex,
  complexAbs,
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexExp,
  complexMul,
  complexScale,
  complexSet,
  complexSqrt,
  complexSub,
} from "./complex.ts";
export type { Complex } from "./complex.ts";
export { CauchyMultipole, cauchyTree } from "./cauchyMultipole.ts";
export type { CauchySums } from "./cauchyMultipole.ts";
export { eigenvalues } from "./eigenvalues.ts";
export { fft, fftConvolve, ifft, nextPowerOfTwo } from "./fft.ts";
export { complexTimes, conjugateTransposed, hermitianEigen } from "./hermitianEigen.ts";
export type { ComplexMatrix, HermitianEigen } from "./hermitianEigen.ts";
export { invertMatrix, luFactor, luSolve, solveLinear } from "./linearSolve.ts";
export type { LuFactors } from "./linearSolve.ts";
export { Matrix } from "./matrix.ts";
export { matrixExp, matrixExpVjp } from "./matrixExp.ts";
export { phi1, phi1Derivative } from "./phi.ts";
export type { PointTree } from "./pointTree.ts";
export { threefry2x32 } from "./threefry.ts";
