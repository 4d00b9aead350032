/** The op cases and their checks without the golden folder: what also runs in a browser. */
export { opCases } from "./cases/index.ts";
export { Draw, dtypeOf, type OpCase } from "./cases/opCase.ts";
export { generatedCases, makeCase, type Direction, type GeneratedCase } from "./generated/cases.ts";
export { GeneratedTally, type GeneratedFault, type GeneratedRow } from "./generated/run.ts";
export { checkForward, checkGradients } from "./harness/checkCase.ts";
export type { Verdict } from "./golden/judge.ts";
// The golden comparisons whose files a page can fetch; the other groups read folders or need no backend.
export { compareCausalConv1d } from "./golden/causalConv1d.ts";
export type { GoldenCase } from "./golden/goldenCase.ts";
export { judge } from "./golden/judge.ts";
export { compareMamba3Siso } from "./golden/mamba3.ts";
export type { GoldenRow, GoldenTensors } from "./golden/row.ts";
export { compareS4 } from "./golden/s4.ts";
export { compareS5 } from "./golden/s5.ts";
export { compareSelectiveScan } from "./golden/selectiveScan.ts";
export { compareSsd } from "./golden/ssd.ts";
