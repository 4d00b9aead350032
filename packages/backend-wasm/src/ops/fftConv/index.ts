import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import { nextPowerOfTwo } from "@statespace/core/math";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

function argumentsOf({ u, k, D }: KernelInputs) {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  // A transform length at which nothing of the first l outputs wraps around.
  const size = nextPowerOfTwo(l + Math.min(m, l));
  return { values: { u: u!, k: k!, D, b, l, d, m, size }, work: (b + 1) * d * size * Math.ceil(Math.log2(size)) };
}

/** y = k * u + D u, causal. */
function fftConv(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const { values, work } = argumentsOf(inputs);
  const { u, size } = values;
  const y = backend.output(u.shape);
  backend.withSpace({ table: 2 * size, workspace: backend.threads * sizes.longConvFloats(size) }, (space) =>
    call.fftConv(backend, { y, ...values, ...space }, work),
  );
  return [y];
}

function fftConvGrad(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const { values, work } = argumentsOf(inputs);
  const { u, k, D, size } = values;
  const gradients = gradientsLike(backend, { du: u, dk: k, dD: D });
  backend.withSpace({ table: 2 * size, workspace: backend.threads * sizes.longConvBackFloats(size) }, (space) =>
    call.fftConvGrad(backend, { ...gradients, dY: inputs.dY!, ...values, ...space }, 2 * work),
  );
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { fftConv, fftConvGrad };
