import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

/** Bytes of a state's powers and of its anchor (vandermonde.c). */
const STATE_BYTES = 96 + 16;

/** y_t = 2 Re sum_n C_n exp(t logABar_n). */
export function vandermonde(backend: WasmBackend, { C, logABar }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  const bytes = 64 * Math.ceil((STATE_BYTES * n) / 64);
  backend.withWorkspace((backend.threads * bytes) / 4, (workspace) => {
    backend.call(
      "vandermonde",
      [backend.at(y), backend.at(C!), backend.at(logABar!), h, n, l, workspace, bytes],
      2 * h * n * l,
    );
  });
  return [y];
}

export function vandermondeGrad(
  backend: WasmBackend,
  { C, logABar, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const grads = [backend.output(C!.shape), backend.output(C!.shape)];
  const addresses = [...grads, dY!, C!, logABar!].map((x) => backend.at(x));
  backend.call("vandermondeGrad", [...addresses, h, n, l], 4 * h * n * l);
  return grads;
}
