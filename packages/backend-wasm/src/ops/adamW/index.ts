import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** One AdamW step in place. */
function adamW(backend: WasmBackend, { param, m, v, grad, hyper, gradScale }: KernelInputs): TensorInfo[] {
  const count = sizeOf(param!.shape);
  call.adamW(backend, { param: param!, m: m!, v: v!, grad: grad!, hyper: hyper!, gradScale, count }, 12 * count);
  return [];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { adamW };
