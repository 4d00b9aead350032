import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { rmsNormGrad } from "./backward.ts";
import { rmsNorm } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { rmsNorm, rmsNormGrad };
