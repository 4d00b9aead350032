import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { mamba3ScanGrad } from "./backward.ts";
import { mamba3Scan, mamba3ScanStep } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { mamba3Scan, mamba3ScanGrad, mamba3ScanStep };
