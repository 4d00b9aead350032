// The op table, for those who walk over it: backends, conformance, bridges to other frameworks.
export { cutOf } from "./cut.ts";
export type { AnyOp, Cost, Cut, NdArrays, OpDeclaration, TableOp } from "./declaration.ts";
export { gradientKernelName, upstreamName, usesGradientKernel } from "./defineOp.ts";
export { opTable } from "./allOps.ts";
export * from "./gradientOf.ts";
export { costOf } from "./operands.ts";
export { broadcastShape, type BoundDims, type Dims, type Shaped } from "./shapes.ts";
export { kernelRooms, opsIn, roomOf, supportOf, type Support } from "./support.ts";
