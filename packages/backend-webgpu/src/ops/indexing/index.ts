import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { gather, oneHot } from "./gather.ts";
import { segmentSum } from "./segmentSum.ts";

/** Kernels that pick or add up by index. */
export const kernels: KernelTable<WebGpuBackend> = { gather, oneHot, segmentSum };
