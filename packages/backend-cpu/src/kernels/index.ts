import { aliasKernels, type KernelTable } from "@statespace/core";
import type { CpuBackend } from "../backend.ts";
import { selectiveScanGrad } from "./selectiveScan/backward.ts";
import { selectiveScan, selectiveScanStep } from "./selectiveScan/forward.ts";

/** Every kernel of this backend by name. */
export const cpuKernels: KernelTable<CpuBackend> = {
  ...(aliasKernels as KernelTable<CpuBackend>),
  selectiveScan,
  selectiveScanStep,
  selectiveScanGrad,
};
