import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { logSumExp } from "./logSumExp.ts";

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
    for (let i = 0; i < ids.length; i++)
      out[i] = ids[i] === ignoreIndex ? 0 : logSumExp(rows, i * v, v) - rows[i * v + ids[i]!]!;
  });
  return [losses];
}
