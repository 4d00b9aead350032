import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { selectiveScanGrad } from "./backward.ts";
import { selectiveScan } from "./forward.ts";
import { selectiveScanStep } from "./step.ts";

/** Mamba's scan. */
export const kernels: KernelTable<WebGpuBackend> = { selectiveScan, selectiveScanGrad, selectiveScanStep };
