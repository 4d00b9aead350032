import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { vandermondeGrad } from "./backward.ts";
import { vandermonde } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { vandermonde, vandermondeGrad };
