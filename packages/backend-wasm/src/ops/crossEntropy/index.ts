import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

function argumentsOf({ logits, targets }: KernelInputs, { ignoreIndex }: KernelAttrs) {
  return {
    logits: logits!,
    targets: targets!,
    rows: sizeOf(targets!.shape),
    count: logits!.shape.at(-1)!,
    ignoreIndex: ignoreIndex as number,
  };
}

function crossEntropy(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const values = argumentsOf(inputs, attrs);
  const losses = backend.output(values.targets.shape);
  call.crossEntropy(backend, { losses, ...values }, 8 * values.rows * values.count);
  return losses;
}

/** (softmax - onehot) dloss, 0 at ignored positions. */
function crossEntropyGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const dLogits = backend.output(values.logits.shape);
  call.crossEntropyGrad(backend, { dLogits, dLosses: inputs.dLosses!, ...values }, 12 * values.rows * values.count);
  return [dLogits];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { crossEntropy, crossEntropyGrad };
