import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { logSumExp } from "./logSumExp.ts";

/** dLogits = dLoss (softmax(logits) - 1 at the target); 0 where the target is ignored. */
export function crossEntropyGrad(
  backend: CpuBackend,
  { logits, targets, dLosses }: KernelInputs,
  { ignoreIndex }: KernelAttrs,
): TensorInfo[] {
  const v = logits!.shape.at(-1)!;
  const dLogits = backend.output(logits!.shape);
  const [rows, ids, upstream, out] = [
    backend.floats(logits!),
    backend.ints(targets!),
    backend.floats(dLosses!),
    backend.floats(dLogits),
  ];
  backend.launch(() => {
    out.fill(0);
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === ignoreIndex) continue;
      const total = ids[i]! >= 0 && ids[i]! < v ? logSumExp(rows, i * v, v) : Number.NaN;
      for (let c = 0; c < v; c++) {
        out[i * v + c] = upstream[i]! * (Math.exp(rows[i * v + c]! - total) - (c === ids[i] ? 1 : 0));
      }
    }
  });
  return [dLogits];
}
