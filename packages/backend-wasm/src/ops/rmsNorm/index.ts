import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

/** Arguments that forward and backward share. */
function words(
  backend: WasmBackend,
  { x, weight, z }: KernelInputs,
  { eps, groupSize, normBeforeGate }: KernelAttrs,
): number[] {
  const d = x!.shape.at(-1)!;
  return [
    backend.at(x!),
    backend.maybeAt(weight),
    backend.maybeAt(z),
    sizeOf(x!.shape) / d,
    d,
    (groupSize as number) || d,
    floatWord(eps as number),
    normBeforeGate ? 1 : 0,
  ];
}

export function rmsNorm(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const y = backend.output(inputs.x!.shape);
  backend.call("rmsNorm", [backend.at(y), ...words(backend, inputs, attrs)], 4 * sizeOf(y.shape));
  return y;
}

export function rmsNormGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { x, weight, z, dY } = inputs;
  const dx = backend.output(x!.shape);
  const dWeight = weight && backend.output(weight.shape);
  const dz = z && backend.output(z.shape);
  backend.requireScratch("rmsNormGrad", x!.shape.at(-1)!);
  const args = [
    backend.at(dx),
    backend.maybeAt(dWeight),
    backend.maybeAt(dz),
    backend.at(dY!),
    ...words(backend, inputs, attrs),
  ];
  backend.call("rmsNormGrad", args, 10 * sizeOf(x!.shape));
  return [dx, ...(dWeight ? [dWeight] : []), ...(dz ? [dz] : [])];
}
