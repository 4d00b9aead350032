import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { selectiveScanGrad } from "./backward.ts";
import { selectiveScan, selectiveScanStep } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { selectiveScan, selectiveScanGrad, selectiveScanStep };
