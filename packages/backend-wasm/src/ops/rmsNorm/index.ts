import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";
import { sizeOf } from "../shapes.ts";

/** Arguments that forward and backward share. */
function argumentsOf({ x, weight, z }: KernelInputs, { eps, groupSize, normBeforeGate }: KernelAttrs) {
  const d = x!.shape.at(-1)!;
  const size = (groupSize as number) || d; // of a group
  const gateLast = normBeforeGate === true;
  return { x: x!, weight, z, rows: sizeOf(x!.shape) / d, d, size, eps: eps as number, gateLast };
}

function rmsNorm(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const y = backend.output(inputs.x!.shape);
  call.rmsNorm(backend, { y, ...argumentsOf(inputs, attrs) }, 4 * sizeOf(y.shape));
  return y;
}

function rmsNormGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { x, weight, z, d } = values;
  backend.requireScratch("rmsNormGrad", d);
  const gradients = gradientsLike(backend, { dx: x, dWeight: weight, dz: z });
  call.rmsNormGrad(backend, { ...gradients, dY: inputs.dY!, ...values }, 10 * sizeOf(x.shape));
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { rmsNorm, rmsNormGrad };
