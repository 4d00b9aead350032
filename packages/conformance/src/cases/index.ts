import * as dense from "./dense.ts";
import type { OpCase } from "./opCase.ts";
import { selectiveScanCases, selectiveScanStepCases } from "./selectiveScan.ts";

/** Every case of every op: one line a list. */
export const opCases: readonly OpCase[] = [
  ...selectiveScanCases,
  ...selectiveScanStepCases,
  ...Object.values(dense).flat(),
];
