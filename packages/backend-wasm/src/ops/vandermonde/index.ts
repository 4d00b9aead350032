import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

/** y_t = 2 Re sum_n C_n exp(t logABar_n). */
function vandermonde(backend: WasmBackend, { C, logABar }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  backend.withSpace({ workspace: backend.threads * sizes.vandermondeFloats(n) }, (space) =>
    call.vandermonde(backend, { y, C: C!, logABar: logABar!, h, n, l, ...space }, 2 * h * n * l),
  );
  return [y];
}

function vandermondeGrad(
  backend: WasmBackend,
  { C, logABar, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const gradients = gradientsLike(backend, { dC: C!, dLogABar: logABar! });
  call.vandermondeGrad(backend, { ...gradients, dY: dY!, C: C!, logABar: logABar!, h, n, l }, 4 * h * n * l);
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { vandermonde, vandermondeGrad };
