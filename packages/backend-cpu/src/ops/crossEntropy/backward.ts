import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { rowSum } from "./rowSum.ts";

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
      const { peak, largest, others } = rowSum(rows, i * v, v);
      const id = ids[i]!;
      const scale = upstream[i]! / (id >= 0 && id < v ? 1 + others : Number.NaN);
      for (let c = 0; c < v; c++) out[i * v + c] = scale * Math.exp(rows[i * v + c]! - peak);
      if (id === largest) out[i * v + id] = -scale * others; // softmax - 1 there, which is small where the row is sure
      else if (id >= 0 && id < v) out[i * v + id]! -= upstream[i]!;
    }
  });
  return [dLogits];
}
