import { noGrad, readFloats, tensor, type Tensor } from "@statespace/core";
import { inspect, MambaMixer, type Model } from "@statespace/models";
import type { Tokenizer } from "@statespace/text";
import { chancesOf, type Drawing } from "./chances.ts";
import { meanSteps } from "./meanSteps.ts";
import { countsOf } from "../../selection/compute/reading.ts";

/** Tokens that are looked at; a longer text is cut. */
export const MOST_TOKENS = 48;

/** Tokens that are shown of what may come next. */
const SHOWN = 10;

/** A token that may come next. */
export interface Candidate {
  readonly id: number;
  readonly text: string;
  readonly probability: number;
}

/** What a model makes of a text, token by token. */
export interface Look {
  readonly tokens: readonly string[];
  /** -log2 of the probability that the tokens before gave each; the first one has none. */
  readonly surprise: readonly (number | undefined)[];
  /** The ten likeliest tokens after each. */
  readonly next: readonly (readonly Candidate[])[];
  /** Layers that read tokens one can tell apart: see `readsOf`. */
  readonly readable: readonly number[];
  /** The mean step over the channels of each layer that chooses one. */
  readonly layers: readonly number[];
  readonly delta: Float32Array; // [layers, l]
  /** Whether the text was longer. */
  readonly cut: boolean;
}

/** What can be drawn after a token. */
export interface Chances {
  /** Of the ten likeliest tokens, in their order. */
  readonly chances: readonly number[];
  /** Tokens that can be drawn at all, of all there are. */
  readonly drawable: number;
  readonly vocabulary: number;
}

/** The scores of the text that was read last: its sliders are moved many times, and it is read once. */
let scored: { readonly model: Model; readonly text: string; readonly logits: Float32Array } | undefined;

async function scoresOf(model: Model, text: string, x: Tensor): Promise<Float32Array> {
  if (scored?.model === model && scored.text === text) return scored.logits;
  const { output } = noGrad(() => model.forward(x));
  const logits = await readFloats(output);
  output.dispose();
  scored = { model, text, logits };
  return logits;
}

/** How likely each of the ten likeliest tokens after a token of a text is to be drawn. */
export async function chancesAt(
  model: Model,
  tokenizer: Tokenizer,
  text: string,
  at: number,
  drawing: Drawing,
): Promise<Chances> {
  const ids = tokenizer.encode(text).slice(0, MOST_TOKENS);
  const x = tensor(ids, [1, ids.length], { backend: model.backend });
  try {
    const logits = await scoresOf(model, text, x);
    const v = logits.length / ids.length;
    const row = logits.subarray(at * v, (at + 1) * v);
    const chances = chancesOf(row, drawing);
    return {
      chances: largestOf(probabilities(row), SHOWN).map((id) => chances[id]!),
      drawable: chances.reduce((count, chance) => count + (chance > 0 ? 1 : 0), 0),
      vocabulary: v,
    };
  } finally {
    x.dispose();
  }
}

/** Reads a text whole. @throws ArgumentError where it has no token. */
export async function lookAt(model: Model, tokenizer: Tokenizer, text: string): Promise<Look> {
  const all = tokenizer.encode(text);
  const ids = all.slice(0, MOST_TOKENS);
  const x = tensor(ids, [1, ids.length], { backend: model.backend });
  try {
    const logits = await scoresOf(model, text, x);
    const v = logits.length / ids.length;
    const word = (id: number): string => tokenizer.decode([id], { special: true });
    const rows = Array.from(ids, (_, t) => probabilities(logits.subarray(t * v, (t + 1) * v)));
    const inside = inspect(model, x);
    const { layers, delta } = await meanSteps(inside.mixers, ids.length);
    const readable = inside.mixers.flatMap((told, layer) => (isReadable(model, layer, told) ? [layer] : []));
    inside.dispose();
    return {
      tokens: Array.from(ids, word),
      surprise: Array.from(ids, (id, t) => (t === 0 ? undefined : -Math.log2(rows[t - 1]![id]!))),
      next: rows.map((row) => largestOf(row, SHOWN).map((id) => ({ id, text: word(id), probability: row[id]! }))),
      readable,
      layers,
      delta,
      cut: all.length > ids.length,
    };
  } finally {
    x.dispose();
  }
}

type Told = Readonly<Record<string, Tensor>>;

/** A of a layer of Mamba, [d, n]. */
const ratesOf = (model: Model, layer: number): Tensor | undefined => {
  const mixer = model.mixers[layer];
  return mixer instanceof MambaMixer ? mixer.A : undefined;
};

const isReadable = (model: Model, layer: number, told: Told): boolean =>
  told["attention"] !== undefined || ratesOf(model, layer) !== undefined;

/**
 * How much of each token every later one reads in a layer, [l, l]. In a layer of Mamba the mean over channels of
 * |C_t exp(A (delta_s+1 + ... + delta_t)) delta_s B_s|, in one of attention its map, the mean over heads.
 */
export async function readsOf(model: Model, tokenizer: Tokenizer, text: string, layer: number): Promise<Float32Array> {
  const ids = tokenizer.encode(text).slice(0, MOST_TOKENS);
  const l = ids.length;
  const x = tensor(ids, [1, l], { backend: model.backend });
  const inside = inspect(model, x);
  try {
    const told = inside.mixers[layer]!;
    if (told["attention"] !== undefined) return meanOf(await readFloats(told["attention"]), l * l);
    const A = ratesOf(model, layer)!;
    const [d, n] = A.shape as [number, number];
    const read = async (name: string): Promise<Float32Array> => readFloats(told[name]!);
    const numbers = {
      l,
      d,
      n,
      delta: await read("delta"),
      A: await readFloats(A),
      B: await read("B"),
      C: await read("C"),
    };
    const reads = new Float32Array(l * l);
    for (let t = 0; t < l; t++) {
      const counts = countsOf(numbers, t);
      for (let s = 0; s <= t; s++) for (let c = 0; c < d; c++) reads[t * l + s]! += Math.abs(counts[s * d + c]!) / d;
    }
    return reads;
  } finally {
    inside.dispose();
    x.dispose();
  }
}

/** The mean of arrays of `size` values that lie one after the other. */
function meanOf(values: Float32Array, size: number): Float32Array {
  const count = values.length / size;
  const mean = new Float32Array(size);
  for (let i = 0; i < values.length; i++) mean[i % size]! += values[i]! / count;
  return mean;
}

function probabilities(logits: Float32Array): Float64Array {
  const peak = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = Float64Array.from(logits, (value) => Math.exp(value - peak));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function largestOf(row: Float64Array, count: number): number[] {
  return Array.from(row.keys())
    .sort((a, b) => row[b]! - row[a]!)
    .slice(0, count);
}
