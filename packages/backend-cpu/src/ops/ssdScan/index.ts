import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { ssdScanGrad } from "./backward.ts";
import { ssdScan, ssdScanStep } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { ssdScan, ssdScanGrad, ssdScanStep };
