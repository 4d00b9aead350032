import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";
import { sizeOf } from "../shapes.ts";

function layerNorm(backend: WasmBackend, { x, weight, bias }: KernelInputs, { eps }: KernelAttrs): TensorInfo {
  const d = x!.shape.at(-1)!;
  const size = sizeOf(x!.shape);
  const y = backend.output(x!.shape);
  call.layerNorm(backend, { y, x: x!, weight, bias, rows: size / d, d, eps: eps as number }, 6 * size);
  return y;
}

function layerNormGrad(
  backend: WasmBackend,
  { x, weight, bias, dY }: KernelInputs,
  { eps }: KernelAttrs,
): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const size = sizeOf(x!.shape);
  backend.requireScratch("layerNormGrad", 2 * d);
  const gradients = gradientsLike(backend, { dx: x!, dWeight: weight, dBias: bias });
  const values = { dY: dY!, x: x!, weight, rows: size / d, d, eps: eps as number };
  call.layerNormGrad(backend, { ...gradients, ...values }, 12 * size);
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { layerNorm, layerNormGrad };
