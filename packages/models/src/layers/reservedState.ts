import { type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import type { LayerState } from "./mixer.ts";

/**
 * Names of state tensors that get longer with every token, along axis 1. A plain state holds exactly the tokens so far, none
 * before the first. A reserved one (see `Mixer.reserve`) has room for more, and counts on the device in `position`, int32 [b]:
 * a step then changes it in place and can be captured.
 */
export const GROWING_STATE: ReadonlySet<string> = new Set(["keys", "values", "visible"]);

/** Name of a reserved state's counter. */
export const POSITION = "position";

/** Tokens a layer's state has room for: without bound unless it is reserved. */
export function capacityOf(state: LayerState): number {
  return state[POSITION] === undefined ? Number.POSITIVE_INFINITY : state["keys"]!.shape[1]!;
}

/** A state without the room: views or copies of its first tokens. A plain state is returned as it is. */
export function settled(state: LayerState, tokens: number): LayerState {
  if (state[POSITION] === undefined) return state;
  const out: Record<string, Tensor> = {};
  for (const [name, t] of Object.entries(state)) {
    if (name === POSITION || (GROWING_STATE.has(name) && tokens === 0)) continue;
    out[name] = GROWING_STATE.has(name) ? sliceAxis(t, 1, 0, tokens) : t;
  }
  return out;
}
