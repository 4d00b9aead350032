import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { layerNormGrad } from "./backward.ts";
import { layerNorm } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { layerNorm, layerNormGrad };
