import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { causalConv1dGrad } from "./backward.ts";
import { causalConv1d, causalConv1dStep } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { causalConv1d, causalConv1dGrad, causalConv1dStep };
