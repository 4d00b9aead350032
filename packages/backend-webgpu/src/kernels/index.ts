import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WebGpuBackend } from "../backend.ts";
import { fill } from "./base/fill.ts";
import { selectiveScanGrad } from "./selectiveScan/backward.ts";
import { selectiveScan } from "./selectiveScan/forward.ts";
import { selectiveScanStep } from "./selectiveScan/step.ts";

/** Every kernel of this backend by name. */
export const webGpuKernels: KernelTable<WebGpuBackend> = {
  ...(aliasKernels as KernelTable<WebGpuBackend>),
  Fill: fill,
  selectiveScan,
  selectiveScanGrad,
  selectiveScanStep,
};
