import { FormatError } from "@statespace/core";
import { fromPretrained, MambaMixer } from "@statespace/models";
import { loadTokenizer, type Tokenizer } from "@statespace/text";
import { startBackend } from "../../../workers/backend.ts";
import type { CallContext } from "../../../workers/rpc.ts";
import type { ModelChoice } from "../../../workers/modelChoice.ts";
import { openChoice } from "../../../workers/modelSource.ts";
import { traceModel, type LayerTrace, type ModelTrace, type Weights } from "./trace.ts";

/** Tokens that are followed; a longer text is cut. */
export const MOST_TOKENS = 14;
const NEXT = 5;

export interface Reading {
  readonly tokens: readonly string[];
  readonly layers: number;
  /** Root mean square of the stream before each block and after the last, [layers + 1, l]. */
  readonly stream: Float64Array;
  /** Root mean square of what each block adds, [layers, l]. */
  readonly added: Float64Array;
  /** What the model expects after each token. */
  readonly next: readonly (readonly { readonly text: string; readonly probability: number }[])[];
}

/** How large a model is, for those who choose a block, a channel and a number of its state. */
export interface Sizes {
  readonly layers: number;
  readonly channels: number;
  readonly states: number;
}

/** What a page of this part remembers: a model, and the text that it read last. */
export function openRoom() {
  let loaded: { weights: Weights; layers: number; eps: number; tokenizer: Tokenizer } | undefined;
  let traced: ModelTrace | undefined;

  const api = {
    /** Loads a Mamba model to be looked at. @throws FormatError for another kind of model */
    async load(
      choice: ModelChoice,
      { signal, emit }: CallContext<{ loaded: number; total: number | undefined; file: string }>,
    ): Promise<Sizes> {
      const backend = await startBackend("cpu");
      const source = await openChoice(choice);
      const tokenizer = await loadTokenizer(source, { signal });
      if (tokenizer === undefined)
        throw new FormatError("tokenizer.json is missing, and without it no text can be read");
      const model = await fromPretrained(source, { signal, onProgress: emit, backend });
      const isMamba = model.mixers.every((mixer) => mixer instanceof MambaMixer);
      const layers = model.mixers.length;
      const next = { weights: await model.weights(), layers, eps: model.resolved.normEps, tokenizer };
      model.dispose();
      if (!isMamba) throw new FormatError("this page reads models whose blocks are all Mamba, version 1");
      loaded = next;
      const [channels, states] = next.weights.get("layers.0.mixer.A_log")!.shape as [number, number];
      return { layers, channels, states };
    },

    /** Reads a text through all layers. */
    read(text: string): Reading {
      const { weights, layers, eps, tokenizer } = loaded!;
      const ids = Array.from(tokenizer.encode(text === "" ? " " : text).slice(0, MOST_TOKENS));
      const { logits } = (traced = traceModel(weights, layers, eps, ids));
      const l = ids.length;
      const v = logits.length / l;
      const word = (id: number): string => tokenizer.decode([id], { special: true });
      const streams = [...traced.layers.map(({ stream }) => stream), after(traced.layers.at(-1)!)];
      return {
        tokens: ids.map(word),
        layers,
        stream: Float64Array.from(streams.flatMap((stream) => rootMeanSquares(stream, l))),
        added: Float64Array.from(traced.layers.flatMap(({ added }) => rootMeanSquares(added, l))),
        next: ids.map((_, t) => likeliest(logits.subarray(t * v, (t + 1) * v), word)),
      };
    },

    /** The weights of a layer's first projection that make one channel, one for each number of the stream. */
    row({ layer, channel }: { layer: number; channel: number }): Float64Array {
      const { shape, values } = loaded!.weights.get(`layers.${layer}.mixer.in_proj.weight`)!;
      const m = shape[1]!;
      return Float64Array.from({ length: m }, (_, i) => values[channel * m + i]!);
    },

    /** All numbers of one layer for the text that was read last. */
    layer(index: number): LayerTrace {
      return traced!.layers[index]!;
    },
  };
  return { api };
}

export type BlockApi = ReturnType<typeof openRoom>["api"];

const after = ({ stream, added }: LayerTrace): Float64Array => stream.map((value, i) => value + added[i]!);

function rootMeanSquares(x: Float64Array, l: number): number[] {
  const m = x.length / l;
  return Array.from({ length: l }, (_, t) => Math.hypot(...x.subarray(t * m, (t + 1) * m)) / Math.sqrt(m));
}

function likeliest(logits: Float64Array, word: (id: number) => string): { text: string; probability: number }[] {
  const peak = Math.max(...logits);
  const total = logits.reduce((sum, value) => sum + Math.exp(value - peak), 0);
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]!)
    .slice(0, NEXT)
    .map((id) => ({ text: word(id), probability: Math.exp(logits[id]! - peak) / total }));
}
