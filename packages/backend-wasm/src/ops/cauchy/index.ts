import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

/** y_t = sum_n v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)). */
export function cauchy(backend: WasmBackend, { v, w, z }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const y = backend.output([h, l, 2]);
  backend.call("cauchy", [backend.at(y), backend.at(v!), backend.at(w!), backend.at(z!), h, n, l], 8 * h * n * l);
  return [y];
}

export function cauchyGrad(backend: WasmBackend, { v, w, z, dY }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const grads = [backend.output(v!.shape), backend.output(w!.shape)];
  const addresses = [...grads, dY!, v!, w!, z!].map((x) => backend.at(x));
  backend.call("cauchyGrad", [...addresses, h, n, l], 16 * h * n * l);
  return grads;
}
