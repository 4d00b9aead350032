import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { expertLinearGrad } from "./backward.ts";
import { expertLinear } from "./forward.ts";

/** Projections by chosen experts. */
export const kernels: KernelTable<WebGpuBackend> = { expertLinear, expertLinearGrad };
