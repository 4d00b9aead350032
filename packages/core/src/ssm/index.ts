export { ContinuousSsm } from "./continuousSsm.ts";
export { DiscreteSsm } from "./discreteSsm.ts";
export type { Sequence, SequenceResult } from "./discreteSsm.ts";
