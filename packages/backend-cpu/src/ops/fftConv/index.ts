import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { fftConvGrad } from "./backward.ts";
import { fftConv } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { fftConv, fftConvGrad };
