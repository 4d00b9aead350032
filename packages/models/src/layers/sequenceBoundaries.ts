import { cast, concat, equal, ones, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";

/** The time from each token to the one after it, 1 at the end. @param gaps [b, l] from the token before to each */
export function gapsAhead(gaps: Tensor): Tensor {
  const [b, l] = gaps.shape as [number, number];
  const last = ones([b, 1], { backend: gaps.backend });
  return l === 1 ? last : concat([sliceAxis(gaps, 1, 1, l - 1), last], 1);
}

/**
 * 1 where a token belongs to the sequence of the one before it, 0 where a new sequence starts: what a decay is multiplied with
 * so that a state restarts inside packed rows.
 * @param seqIdx int32 [b, l]
 * @param reverse 0 where the token after belongs to another sequence instead.
 */
export function continuation(seqIdx: Tensor, reverse = false): Tensor {
  const [b, l] = seqIdx.shape as [number, number];
  const first = ones([b, 1], { backend: seqIdx.backend });
  if (l === 1) return first;
  const same = cast(equal(sliceAxis(seqIdx, 1, 1, l - 1), sliceAxis(seqIdx, 1, 0, l - 1)), "float32"); // [b, l - 1]
  return reverse ? concat([same, first], 1) : concat([first, same], 1);
}
