import { ArgumentError, mean, readFloats, tensor, tidy, type Tensor } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { Tokenizer } from "@statespace/text";
import { inspect } from "../model/inspect.ts";
import type { Model } from "../model/model.ts";
import { lastToken } from "../model/head.ts";
import { flatSequence, inputTensor, type FlatSequence, type SequenceInput } from "./sequences.ts";

/** What `LoadedModel.inspect` shall tell beside the embedding. */
export interface InspectOptions {
  /** The residual stream after the encoder (0) and after each layer (1, 2, ...): all of them, or those of a list. */
  readonly layers?: boolean | readonly number[];
  /** What each mixer chose for each token: `delta`, `B` and `C` of Mamba. */
  readonly mixers?: boolean;
  /** The state after the last token, which keeps what the model knows of the text. */
  readonly states?: boolean;
  /** How surprised a language model is: e to the mean of its negative log probabilities of the tokens after the first. */
  readonly perplexity?: boolean;
}

/** Values of a tensor, row-major. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What a model made of one sequence. What was not asked for is empty. */
export interface Look {
  /** Of a model that reads ids. */
  readonly ids: readonly number[];
  /** The text of each token, where there is a tokenizer. */
  readonly tokens: readonly string[];
  /** The normed residual stream after the last layer [dModel]: the mean over tokens, and that of the last one. */
  readonly embedding: { readonly mean: Float32Array; readonly last: Float32Array };
  /** [l, dModel] each, in the order asked for. */
  readonly hidden: readonly Values[];
  /** Of each mixer, in the order of the layers; empty of one that has nothing to tell. */
  readonly mixers: readonly Readonly<Record<string, Values>>[];
  /** By the names of `ModelState`: `0.ssm`, `0.conv`, ... */
  readonly states: Readonly<Record<string, Values>>;
  readonly perplexity: number | undefined;
}

const OPTIONS: Readonly<Record<keyof InspectOptions, true>> = {
  layers: true,
  mixers: true,
  states: true,
  perplexity: true,
};

/** Runs one sequence and reads what is inside. @throws ArgumentError for an option that is not known, or a text without a tokenizer. */
export async function look(
  model: Model,
  tokenizer: Tokenizer | undefined,
  input: string | SequenceInput,
  options: InspectOptions,
): Promise<Look> {
  refuseUnknown("inspect", options, Object.keys(OPTIONS), { hiddenStates: "layers", outputHiddenStates: "layers" });
  const sequence = flatSequence(model, typeof input === "string" ? encode(tokenizer, input) : input, "inspect: input");
  const wanted = wantedLayers(model, options.layers);
  if (options.perplexity && (model.resolved.head.kind !== "language" || sequence.length < 2))
    throw new ArgumentError("inspect: perplexity is that of a language model, of two tokens or more");
  const ids = sequence.values instanceof Int32Array ? [...sequence.values] : [];
  const x = inputTensor(model, [sequence]);
  try {
    const inside = inspect(model, x);
    try {
      return {
        ids,
        tokens: tokenizer === undefined ? [] : ids.map((id) => tokenizer.decode([id], { special: true })),
        embedding: await embeddingOf(model, inside.hidden.at(-1)!),
        hidden: await Promise.all(wanted.map((i) => rowOf(inside.hidden[i]!))),
        mixers: options.mixers ? await Promise.all(inside.mixers.map(rowsOf)) : [],
        states: options.states ? await statesOf(model, x) : {},
        perplexity: options.perplexity ? await perplexityOf(model, sequence) : undefined,
      };
    } finally {
      inside.dispose();
    }
  } finally {
    x.dispose();
  }
}

function encode(tokenizer: Tokenizer | undefined, text: string): Int32Array {
  if (tokenizer === undefined)
    throw new ArgumentError("inspect: the model has no tokenizer.json; give ids or values instead of a text");
  return tokenizer.encode(text);
}

function wantedLayers(model: Model, layers: InspectOptions["layers"] = false): readonly number[] {
  const count = model.blocks.length + 1;
  if (typeof layers === "boolean") return layers ? Array.from({ length: count }, (_, i) => i) : [];
  for (const layer of layers)
    if (!Number.isInteger(layer) || layer < 0 || layer >= count)
      throw new ArgumentError(`inspect: layers must be in 0..${count - 1} (0 is the encoder), got ${layer}`);
  return layers;
}

/** A tensor of one row without the axis of rows. */
async function rowOf(t: Tensor): Promise<Values> {
  return { shape: t.shape.slice(1), values: await readFloats(t) };
}

async function rowsOf(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, Values>> {
  const entries = Object.entries(tensors).map(async ([name, t]) => [name, await rowOf(t)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function embeddingOf(model: Model, hidden: Tensor): Promise<Look["embedding"]> {
  const both = tidy(() => {
    const normed = model.normF.apply(hidden);
    return { mean: mean(normed, 1), last: lastToken(normed, undefined) };
  });
  try {
    return { mean: await readFloats(both.mean), last: await readFloats(both.last) };
  } finally {
    both.mean.dispose();
    both.last.dispose();
  }
}

async function statesOf(model: Model, x: Tensor): Promise<Record<string, Values>> {
  const { output, state } = model.forward(x, { returnState: true });
  output.dispose();
  try {
    const read = [...state!.tensors()].map(async ([name, t]) => [name, await rowOf(t)] as const);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    state!.dispose();
  }
}

async function perplexityOf(model: Model, { values, length }: FlatSequence): Promise<number> {
  const place = { backend: model.backend };
  const loss = tidy(() =>
    model.loss(tensor(values.slice(0, -1), [1, length - 1], place), tensor(values.slice(1), [1, length - 1], place)),
  );
  try {
    return Math.exp((await readFloats(loss))[0]!);
  } finally {
    loss.dispose();
  }
}
