import { add, div, reshape, sum, tidy, type Tensor } from "@statespace/core";
import { recompute } from "@statespace/core/backend";
import { crossEntropy, sliceAxis } from "@statespace/core/ops";
import type { Head } from "../model/head.ts";

/** Logits that are there at once: 64 MiB. */
const AT_ONCE = 1 << 24;

/**
 * Mean cross entropy of a language head, some tokens at a time: the logits of no more than those are in memory, forward and back, since each
 * part runs again for its gradient.
 * @param hidden what the head takes, [b, l, dModel]
 * @param targets int32 [b, l]; `ignored` has no answer
 * @param counted how many targets have one
 * @param atOnce logits that are there at once
 */
export function chunkedCrossEntropy(
  head: Head,
  hidden: Tensor,
  targets: Tensor,
  {
    ignored,
    counted,
    atOnce = AT_ONCE,
  }: { readonly ignored: number; readonly counted: number; readonly atOnce?: number },
): Tensor {
  const [, , d] = hidden.shape as [number, number, number];
  const tokens = targets.size;
  const height = Math.max(1, Math.floor(atOnce / head.weight.shape[0]!));
  return tidy(() => {
    const [rows, ids] = [reshape(hidden, [tokens, d]), reshape(targets, [tokens])];
    let total: Tensor | undefined;
    for (let from = 0; from < tokens; from += height) {
      const count = Math.min(height, tokens - from);
      const part = recompute(
        (x, answers) =>
          sum(crossEntropy({ logits: head.apply(x!), targets: answers! }, { ignoreIndex: ignored }).losses),
        [sliceAxis(rows, 0, from, count), sliceAxis(ids, 0, from, count)],
      );
      total = total === undefined ? part : add(total, part);
    }
    return div(total!, Math.max(1, counted));
  });
}
