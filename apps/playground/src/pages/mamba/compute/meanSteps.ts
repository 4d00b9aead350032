import { readFloats, type Tensor } from "@statespace/core";

/** How long each layer looks at each token. */
export interface MeanSteps {
  /** Layers that choose a step. */
  readonly layers: readonly number[];
  /** The mean over the channels of each, [layers, l]. */
  readonly delta: Float32Array;
}

/** The steps that layers chose for a text of l tokens. @param mixers what each was fed, as `inspect` tells it */
export async function meanSteps(mixers: readonly Readonly<Record<string, Tensor>>[], l: number): Promise<MeanSteps> {
  const layers = mixers.flatMap(({ delta }, layer) => (delta === undefined ? [] : [layer]));
  const chosen = await Promise.all(layers.map((layer) => readFloats(mixers[layer]!["delta"]!)));
  return { layers, delta: Float32Array.from(chosen.flatMap((values) => meansOf(values, l))) };
}

/** The mean over channels for each of l tokens. */
function meansOf(values: Float32Array, l: number): number[] {
  const d = values.length / l;
  return Array.from({ length: l }, (_, t) => values.subarray(t * d, (t + 1) * d).reduce((sum, x) => sum + x, 0) / d);
}
