export { backwardEuler } from "./backwardEuler.ts";
export { bilinear } from "./bilinear.ts";
export { discretizeDiagonal, discretizeDiagonalVjp } from "./diagonal.ts";
export type { DiagonalDiscrete, DiagonalGradients } from "./diagonal.ts";
export type { DenseGradients, Discretization, DiscreteMatrices, ValueAndSlope } from "./discretization.ts";
export { forwardEuler } from "./forwardEuler.ts";
export { generalisedBilinear } from "./generalisedBilinear.ts";
export { zeroOrderHold } from "./zeroOrderHold.ts";
