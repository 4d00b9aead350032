import { ones, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, equal, mul } from "./binary.ts";
import { cast, where } from "./make.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import { concat, split, stack } from "./joining.ts";

/**
 * state_t = decay_t state_{t-1} + input_t along axis 1, token by token: what scans are made of where a backend lacks their kernels.
 * Shapes: input [b, l, ...], decay the same or broadcast to it; initial [b, ...], zero where absent; seqIdx int32 [b, l], where it changes
 * the state restarts from zero; states [b, l, ...]; last [b, ...].
 */
export function linearRecurrence(
  decay: Tensor,
  input: Tensor,
  initial: Tensor | undefined,
  seqIdx: Tensor | undefined,
): { states: Tensor; last: Tensor } {
  const [decays, inputs] = [tokensOf(decay), tokensOf(input)];
  const carry = carriedOver(seqIdx);
  let state = initial ?? zeros(inputs[0]!.shape, { backend: input.backend });
  const states = inputs.map((own, t) => (state = add(mul(decays[t]!, carry(state, t)), own)));
  return { states: stack(states, 1), last: states.at(-1)! };
}

/**
 * What token t takes over of the state [b, ...] before it: all of it, or zeros where another sequence begins. Chosen, not multiplied by 0:
 * the sequence before may have left an infinity or no number.
 */
export function carriedOver(seqIdx: Tensor | undefined): (state: Tensor, t: number) => Tensor {
  if (seqIdx === undefined) return (state) => state;
  const goesOn = tokensOf(cast(continues(seqIdx), "int32")); // [b] each
  return (state, t) => {
    const condition = reshape(cast(goesOn[t]!, "bool"), [state.shape[0]!, ...state.shape.slice(1).map(() => 1)]);
    return where(condition, state, zeros([1], { backend: state.backend }));
  };
}

/** [b, l, ...] as l tensors [b, ...]. */
export function tokensOf(x: Tensor): Tensor[] {
  const [b, l, ...rest] = x.shape as [number, number, ...number[]];
  return split(x, Array<number>(l).fill(1), 1).map((token) => reshape(token, [b, ...rest]));
}

/** 0 at tokens that begin another sequence than the token before them, else 1; float32 [b, l]. */
export function continues(seqIdx: Tensor): Tensor {
  const [b, l] = seqIdx.shape as [number, number];
  const first = ones([b, Math.min(l, 1)], { backend: seqIdx.backend });
  if (l <= 1) return first;
  const same = cast(equal(sliceAxis(seqIdx, 1, 1, l - 1), sliceAxis(seqIdx, 1, 0, l - 1)), "float32");
  return concat([first, same], 1);
}

/** Groups shared by heads or channels, repeated for each: [b, l, g, n] -> [b, l, d, n], d/g neighbours a group. */
export function ungrouped(x: Tensor, d: number): Tensor {
  const [b, l, g, n] = x.shape as [number, number, number, number];
  return reshape(broadcastTo(reshape(x, [b, l, g, 1, n]), [b, l, g, d / g, n]), [b, l, d, n]);
}
