import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

export function crossEntropy(
  backend: WasmBackend,
  { logits, targets }: KernelInputs,
  { ignoreIndex }: KernelAttrs,
): TensorInfo {
  const v = logits!.shape.at(-1)!;
  const losses = backend.output(targets!.shape);
  const rows = sizeOf(targets!.shape);
  backend.call(
    "crossEntropy",
    [backend.at(losses), backend.at(logits!), backend.at(targets!), rows, v, ignoreIndex as number],
    8 * rows * v,
  );
  return losses;
}

/** (softmax - onehot) dloss, 0 at ignored positions. */
export function crossEntropyGrad(
  backend: WasmBackend,
  { logits, targets, dLosses }: KernelInputs,
  { ignoreIndex }: KernelAttrs,
): TensorInfo[] {
  const v = logits!.shape.at(-1)!;
  const out = backend.output(logits!.shape);
  const rows = sizeOf(targets!.shape);
  backend.call(
    "crossEntropyGrad",
    [backend.at(out), backend.at(logits!), backend.at(targets!), backend.at(dLosses!), rows, v, ignoreIndex as number],
    12 * rows * v,
  );
  return [out];
}
