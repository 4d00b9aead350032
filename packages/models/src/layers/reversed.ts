import { gather, reshape, tensor, type Tensor } from "@statespace/core";
import { reverse } from "@statespace/core/ops";
import type { ForwardResult, Mixer } from "./mixer.ts";
import { gapsAhead } from "./sequenceBoundaries.ts";

/** What a block is told of the order of tokens; see `BlockOptions`. */
interface Order {
  readonly backwards?: Tensor | undefined;
  readonly seqIdx?: Tensor | undefined;
  readonly gaps?: Tensor | undefined;
}

/** A mixer run from the last token to the first, its answers in the order of the tokens. It has no state: that would be one of what is ahead. */
export function runReversed(mixer: Mixer, x: Tensor, { backwards, seqIdx, gaps }: Order): ForwardResult {
  const turned = (t: Tensor): Tensor => turn(t, backwards);
  const { y } = mixer.forward(turned(x), {
    seqIdx: seqIdx && turned(seqIdx),
    gaps: gaps && mixer.takesGaps ? turned(gapsAhead(gaps)) : undefined,
  });
  return { y: turned(y) };
}

/**
 * Each row from its last token to its first; padding stays behind. It is its own inverse.
 * @param x [b, l, ...] @param backwards int32 [b l], see `backwardOrder`; all of each row where it is absent
 */
export function turn(x: Tensor, backwards: Tensor | undefined): Tensor {
  if (backwards === undefined) return reverse(x, 1);
  const [b, l, ...rest] = x.shape as [number, number, ...number[]];
  return reshape(gather(reshape(x, [b * l, ...rest]), backwards), [b, l, ...rest]);
}

/** Where `turn` takes each token from, in rows of different lengths: int32 [b l]. */
export function backwardOrder(b: number, l: number, lengths: Int32Array, backend: Tensor["backend"]): Tensor {
  const order = Int32Array.from({ length: b * l }, (_, i) => {
    const row = Math.floor(i / l);
    const length = lengths[row]!;
    const at = i % l;
    return row * l + (at < length ? length - 1 - at : at);
  });
  return tensor(order, [b * l], { backend });
}
