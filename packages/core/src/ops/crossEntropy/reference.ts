import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { CrossEntropyAttrs } from "./spec.ts";

/** loss = logsumexp(logits) - logits[target], row by row. */
export function crossEntropyReference(
  { logits, targets }: NdArrays,
  { ignoreIndex }: Required<CrossEntropyAttrs>,
): NdArrays {
  const v = logits!.shape.at(-1)!;
  const losses = ndzeros(targets!.shape);
  targets!.data.forEach((target, i) => {
    if (target === ignoreIndex) return;
    const row = logits!.data.subarray(i * v, (i + 1) * v);
    const peak = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = row.reduce((a, b) => a + Math.exp(b - peak), 0);
    losses.data[i] = peak + Math.log(total) - row[target]!;
  });
  return { losses };
}
