import { argMax, cast, div, equal, maximum, sum, tidy, type Tensor } from "@statespace/core";
import { logicalAnd, notEqual } from "@statespace/core/ops";
import { IGNORED_TARGET } from "./batch.ts";

/** Share of positions whose largest logit is the target; ignored targets do not count. logits [..., v], targets int32 [...] -> []. */
export function classAccuracy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const counted = notEqual(targets, IGNORED_TARGET);
    const right = logicalAnd(counted, equal(argMax(logits), targets));
    return div(sum(cast(right, "float32")), maximum(sum(cast(counted, "float32")), 1));
  });
}
