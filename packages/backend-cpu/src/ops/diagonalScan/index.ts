import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { diagonalScanGrad } from "./backward.ts";
import { diagonalScan } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { diagonalScan, diagonalScanGrad };
