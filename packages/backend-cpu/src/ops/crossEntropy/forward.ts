import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { rowSum } from "./rowSum.ts";

/** loss = logsumexp(logits) - logits[target], row by row; 0 where the target is ignored. */
export function crossEntropy(
  backend: CpuBackend,
  { logits, targets }: KernelInputs,
  { ignoreIndex }: KernelAttrs,
): TensorInfo[] {
  const v = logits!.shape.at(-1)!;
  const losses = backend.output(targets!.shape);
  const [rows, ids, out] = [backend.floats(logits!), backend.ints(targets!), backend.floats(losses)];
  backend.launch(() => {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const own = id >= 0 && id < v ? rows[i * v + id]! : Number.NaN;
      const { peak, others } = rowSum(rows, i * v, v);
      out[i] = id === ignoreIndex ? 0 : Math.log1p(others) + (peak - own);
    }
  });
  return [losses];
}
