import { tensor } from "@statespace/core";
import { inspect, type Model } from "@statespace/models";
import type { Tokenizer } from "@statespace/text";
import { meanSteps } from "../../mamba/compute/meanSteps.ts";

/** How long the layers look at the tokens of one sentence, again and again while they learn. */
export interface Glances {
  readonly tokens: readonly string[];
  readonly layers: readonly number[];
  readonly moments: readonly { readonly step: number; readonly delta: Float32Array }[]; // [layers, l]
}

/** Tokens of the sentence, and layers of a deep model, that are looked at. */
const TOKENS = 32;
const LAYERS = 4;

/** The beginning of a text as a sentence to look at. */
export const sentenceOf = (ids: Int32Array): Int32Array => ids.subarray(0, TOKENS);

/** Looks at a sentence once more. @param before what was seen until now */
export async function glance(
  model: Model,
  tokenizer: Tokenizer,
  ids: Int32Array,
  step: number,
  before: Glances | undefined,
): Promise<Glances> {
  const x = tensor(ids, [1, ids.length], { backend: model.backend });
  const inside = inspect(model, x);
  try {
    const { layers, delta } = await meanSteps(inside.mixers, ids.length);
    const some = evenly(layers.length, LAYERS);
    const rows = some.flatMap((i) => Array.from(delta.subarray(i * ids.length, (i + 1) * ids.length)));
    return {
      tokens: before?.tokens ?? Array.from(ids, (id) => tokenizer.decode([id], { special: true })),
      layers: some.map((i) => layers[i]!),
      moments: [...(before?.moments ?? []), { step, delta: Float32Array.from(rows) }],
    };
  } finally {
    inside.dispose();
    x.dispose();
  }
}

/** At most `most` of so many, the first and the last among them. */
function evenly(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}
