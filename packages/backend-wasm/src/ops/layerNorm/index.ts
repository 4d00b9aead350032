import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

export function layerNorm(backend: WasmBackend, { x, weight, bias }: KernelInputs, { eps }: KernelAttrs): TensorInfo {
  const d = x!.shape.at(-1)!;
  const y = backend.output(x!.shape);
  const args = [
    backend.at(y),
    backend.at(x!),
    backend.maybeAt(weight),
    backend.maybeAt(bias),
    sizeOf(x!.shape) / d,
    d,
    floatWord(eps as number),
  ];
  backend.call("layerNorm", args, 6 * sizeOf(x!.shape));
  return y;
}

export function layerNormGrad(
  backend: WasmBackend,
  { x, weight, bias, dY }: KernelInputs,
  { eps }: KernelAttrs,
): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const dx = backend.output(x!.shape);
  const dWeight = weight && backend.output(weight.shape);
  const dBias = bias && backend.output(bias.shape);
  backend.requireScratch("layerNormGrad", 2 * d);
  const args = [
    backend.at(dx),
    backend.maybeAt(dWeight),
    backend.maybeAt(dBias),
    backend.at(dY!),
    backend.at(x!),
    backend.maybeAt(weight),
    sizeOf(x!.shape) / d,
    d,
    floatWord(eps as number),
  ];
  backend.call("layerNormGrad", args, 12 * sizeOf(x!.shape));
  return [dx, ...(dWeight ? [dWeight] : []), ...(dBias ? [dBias] : [])];
}
