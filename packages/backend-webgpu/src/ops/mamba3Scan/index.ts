import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { mamba3ScanGrad } from "./backward.ts";
import { mamba3Scan } from "./forward.ts";
import { mamba3ScanStep } from "./step.ts";

/** Mamba-3's scan. */
export const kernels: KernelTable<WebGpuBackend> = {
  mamba3Scan,
  mamba3ScanGrad,
  mamba3ScanStep,
};
