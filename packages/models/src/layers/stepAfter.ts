import { reshape, tidy, type Tensor } from "@statespace/core";
import { copy } from "@statespace/core/ops";
import type { LayerState, Mixer } from "./mixer.ts";

/**
 * One token that came at a time of its own, as a sequence of one: what a mixer does with gaps is written down once, in its `forward`.
 * The state is changed in place.
 * @param x [b, dModel] @param gaps [b] @returns [b, dModel]
 */
export function stepAfter(mixer: Mixer, x: Tensor, state: LayerState, gaps: Tensor): Tensor {
  return tidy(() => {
    const [b, d] = x.shape as [number, number];
    const options = { initialState: state, returnState: true, gaps: reshape(gaps, [b, 1]) };
    const { y, state: after } = mixer.forward(reshape(x, [b, 1, d]), options);
    for (const [name, source] of Object.entries(after!)) copy({ destination: state[name]!, source });
    return reshape(y, [b, d]);
  });
}
