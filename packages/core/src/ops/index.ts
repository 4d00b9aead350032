export * from "./adamW.ts";
export * from "./attentionMap.ts";
export { add, div, equal, greater, greaterEqual, less, lessEqual, logicalAnd, logicalNot } from "./binary.ts";
export { maximum, minimum, mul, notEqual, sub, type Binary, type Operand } from "./binary.ts";
export * from "./cauchy.ts";
export * from "./causalAttention.ts";
export * from "./causalAttentionStep.ts";
export * from "./causalConv1d.ts";
export * from "./copy.ts";
export * from "./crossEntropy.ts";
export type { Op, OpAttrs, OpInputs, OpOutputs } from "./declaration.ts";
export * from "./diagonalScan.ts";
export * from "./embedding.ts";
export * from "./expertLinear.ts";
export * from "./fftConv.ts";
export {
  expertLinearFrozen,
  linearFrozen,
  unpackWeight,
  type FrozenExpertInputs,
  type FrozenLinearInputs,
  type FrozenLinearOptions,
} from "./frozen.ts";
export * from "./gatedDeltaRule.ts";
export { fromHalves, toHalves } from "./halves.ts";
export * from "./indexing.ts";
export * from "./inverseRealFft.ts";
export * from "./layerNorm.ts";
export * from "./linear.ts";
export * from "./make.ts";
export * from "./mamba3Scan.ts";
export * from "./matMul.ts";
export { broadcastTo, same as clone, reshape, reverse, tile, transpose } from "./movement.ts";
export { pad, slice, sliceAxis } from "./slicing.ts";
export { concat, split, stack } from "./joining.ts";
export * from "./power.ts";
export { argMax, cumsum, max, mean, min, softmax } from "./reduce.ts";
export * from "./rmsNorm.ts";
export * from "./sampleToken/settings.ts";
export * from "./sampleToken/spec.ts";
export * from "./selectiveScan.ts";
export * from "./sequenceNumber.ts";
export * from "./ssdScan.ts";
export { sum } from "./sum.ts";
export * from "./sumSquares.ts";
export * from "./squaredNorm.ts";
export * from "./topK.ts";
export * from "./unary.ts";
export * from "./vandermonde.ts";
