import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { backward } from "./backward.ts";
import { forward, step } from "./forward.ts";

export const kernels: KernelTable<CpuBackend> = {
  gatedDeltaRule: forward,
  gatedDeltaRuleGrad: backward,
  gatedDeltaRuleStep: step,
};
