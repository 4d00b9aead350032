import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { expertLinearGrad } from "./backward.ts";
import { expertLinear } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { expertLinear, expertLinearGrad };
