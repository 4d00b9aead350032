import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** One step of AdamW, in place. */
const adamW: Kernel<WebGpuBackend> = (backend, { param, m, v, grad, hyper, gradScale }) => {
  const all = sizeOf(param!.shape);
  const UNIT = all % 4 === 0 ? "vec4" : "word";
  const size = UNIT === "vec4" ? all / 4 : all;
  backend.runOver("adamW/adamW", size, 256, {
    variant: { UNIT },
    params: { size },
    buffers: { param: param!, m: m!, v: v!, grad: grad!, hyper: hyper!, gradScale },
  });
  return [];
};

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { adamW };
