import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { ssdScanGrad } from "./backward.ts";
import { ssdScan } from "./forward.ts";
import { ssdScanStep } from "./step.ts";

/** Mamba-2's scan. */
export const kernels: KernelTable<WebGpuBackend> = { ssdScan, ssdScanGrad, ssdScanStep };
