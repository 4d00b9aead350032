import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { inverseRealFftGrad } from "./backward.ts";
import { inverseRealFft } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { inverseRealFft, inverseRealFftGrad };
