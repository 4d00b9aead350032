import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** One step of AdamW, in place. */
const adamW: Kernel<WebGpuBackend> = (backend, { param, m, v, grad, hyper, gradScale }) => {
  const size = sizeOf(param!.shape);
  backend.runOver("adamW/adamW", size, 256, {
    params: { size },
    buffers: { param: param!, m: m!, v: v!, grad: grad!, hyper: hyper!, gradScale },
  });
  return [];
};

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { adamW };
