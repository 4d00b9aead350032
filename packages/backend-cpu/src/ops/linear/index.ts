import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { linearGrad } from "./backward.ts";
import { linear } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { linear, linearGrad };
