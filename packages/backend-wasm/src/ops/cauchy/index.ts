import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

/** y_t = sum_n v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)). */
function cauchy(backend: WasmBackend, { v, w, z }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const y = backend.output([h, l, 2]);
  call.cauchy(backend, { y, v: v!, w: w!, z: z!, h, n, l }, 8 * h * n * l);
  return [y];
}

function cauchyGrad(backend: WasmBackend, { v, w, z, dY }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const gradients = gradientsLike(backend, { dv: v!, dw: w! });
  call.cauchyGrad(backend, { ...gradients, dY: dY!, v: v!, w: w!, z: z!, h, n, l }, 16 * h * n * l);
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { cauchy, cauchyGrad };
