import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { embeddingGrad } from "./backward.ts";
import { embedding } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { embedding, embeddingGrad };
