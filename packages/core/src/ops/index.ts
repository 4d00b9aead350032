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
export * from "./cut.ts";
export * from "./declaration.ts";
export { gradientKernelName, opTable, upstreamName, usesGradientKernel } from "./defineOp.ts";
export * from "./diagonalScan.ts";
export * from "./embedding.ts";
export * from "./fftConv.ts";
export * from "./gatedDeltaRule.ts";
export * from "./gradientOf.ts";
export * from "./indexing.ts";
export * from "./inverseRealFft.ts";
export * from "./layerNorm.ts";
export * from "./linear.ts";
export * from "./make.ts";
export * from "./mamba3Scan.ts";
export * from "./matMul.ts";
export {
  broadcastTo,
  same as clone,
  concat,
  pad,
  reshape,
  reverse,
  slice,
  sliceAxis,
  split,
  stack,
  tile,
  transpose,
} from "./movement.ts";
export { costOf } from "./operands.ts";
export * from "./power.ts";
export { argMax, cumsum, max, mean, min, softmax } from "./reduce.ts";
export * from "./rmsNorm.ts";
export * from "./sampleToken/settings.ts";
export * from "./sampleToken/spec.ts";
export * from "./selectiveScan.ts";
export * from "./sequenceNumber.ts";
export { broadcastShape, type BoundDims, type Dims, type Shaped } from "./shapes.ts";
export * from "./ssdScan.ts";
export { sum } from "./sum.ts";
export * from "./sumSquares.ts";
export * from "./support.ts";
export * from "./unary.ts";
export * from "./vandermonde.ts";
