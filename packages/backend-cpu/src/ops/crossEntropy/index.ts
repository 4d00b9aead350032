import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { crossEntropyGrad } from "./backward.ts";
import { crossEntropy } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { crossEntropy, crossEntropyGrad };
