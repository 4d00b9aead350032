/** The op cases and their checks without the golden folder: what also runs in a browser. */
export { opCases } from "./cases/index.ts";
export type { OpCase } from "./cases/opCase.ts";
export { checkForward, checkGradients } from "./harness/checkOp.ts";
export type { Verdict } from "./golden/judge.ts";
