import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { cauchyGrad } from "./backward.ts";
import { cauchy } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { cauchy, cauchyGrad };
