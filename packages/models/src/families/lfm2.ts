import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { shortConvSchema, type ShortConvConfig } from "../mixers/shortConv/config.ts";
import type { MixerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { readAttention, writeAttention } from "./hybrids.ts";
import { expectMlp, expectMlps, mlpWeights, sharedMlp } from "./mlps.ts";
import type { WeightRules } from "./weightNames.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "lfm2";
const DEFAULTS = {
  vocabSize: 65536,
  dModel: 2560,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: true,
  initializerRange: 0.02,
  eps: ["norm_eps", 1e-5],
} as const;
const convNames = shortConvSchema.names(undefined, { dConv: "conv_L_cache", useBias: "conv_bias" });

/** The width of the MLP: the one that is written, or two thirds of it, scaled and rounded up, as the original code has it. */
function readWidth(fields: ConfigFields): number {
  const written = fields.integer(fields.has("block_ff_dim") ? "block_ff_dim" : "intermediate_size", 12288);
  if (!fields.boolean("block_auto_adjust_ff_dim", true)) return written;
  const multiple = fields.integer("block_multiple_of", 256);
  const factor = fields.number("block_ffn_dim_multiplier", 1, { min: 0, above: true, max: 1024 });
  return Math.ceil(Math.floor(factor * Math.floor((2 * written) / 3)) / multiple) * multiple;
}

/** Which layers attend; the others convolve. */
function readTypes(fields: ConfigFields, nLayer: number): readonly boolean[] {
  const key = fields.has("layer_types") ? "layer_types" : "layers_block_type";
  if (!fields.has(key)) {
    const all = Array.from({ length: nLayer }, (_, i) => i);
    const attends = new Set(fields.integers("full_attn_idxs", all, { max: nLayer - 1 }));
    return all.map((i) => attends.has(i));
  }
  const types = fields.choices(key, ["conv", "full_attention", "attention"], "conv", nLayer);
  if (types.length !== nLayer) throw fields.error(key, `must have num_hidden_layers = ${nLayer} entries`);
  return types.map((type) => type !== "conv");
}

/** What its files call the projections of an MLP. */
export const LFM2_MLP = { gate: "w1", up: "w3", down: "w2" };
/** Names of its weights. */
export const lfm2Weights: WeightRules = {
  encoder: "model.embed_tokens",
  "layers.*.norm": "model.layers.*.operator_norm",
  "layers.*.shortConv": "model.layers.*.conv",
  "layers.*.shortConv.conv1d": "model.layers.*.conv.conv",
  "layers.*.attention.in_proj": {
    "model.layers.*.self_attn.q_proj": ["q"],
    "model.layers.*.self_attn.k_proj": ["k"],
    "model.layers.*.self_attn.v_proj": ["v"],
  },
  "layers.*.attention": "model.layers.*.self_attn",
  "layers.*.attention.q_norm": "model.layers.*.self_attn.q_layernorm",
  "layers.*.attention.k_norm": "model.layers.*.self_attn.k_layernorm",
  "layers.*.norm2": "model.layers.*.ffn_norm",
  ...mlpWeights("model.layers.*.feed_forward", "layers.*.mlp", LFM2_MLP),
  norm_f: "model.embedding_norm",
  head: "lm_head",
};

/** Whether the head is the embedding, by the name of today or the one before. */
export function readLfm2Tie(fields: ConfigFields, tie = true): boolean {
  return fields.has("tie_embedding") ? fields.boolean("tie_embedding", tie) : tie;
}

/** The layers of such a model, without their MLPs. */
export function readLfm2Layers(
  fields: ConfigFields,
  dModel: number,
  nLayer: number,
  normEps: number,
): readonly MixerSettings[] {
  const norms = { nHeadsKv: 8, qkNorm: "head", qkNormEps: normEps } as const;
  const attention = { kind: "attention", ...readAttention(fields, dModel, norms, 1e6) } as const;
  const conv = { kind: "shortConv", ...shortConvSchema.read(fields, dModel, { names: convNames }) } as const;
  return readTypes(fields, nLayer).map((attends) => (attends ? attention : conv));
}

/** Inverse of `readLfm2Layers`. @throws ArgumentError for what such a config cannot say. */
export function writeLfm2Layers(family: string, model: ResolvedModel): JsonObject {
  expectPlainLayers(family, model, ["shortConv", "attention"]);
  const conv = sharedSettings<ShortConvConfig>(family, model, "shortConv");
  const attention = sharedSettings<AttentionMixerConfig>(family, model, "attention");
  expressible(family, attention === undefined || attention.qkNorm === "head", "qkNorm", attention?.qkNorm);
  return {
    ...(conv === undefined ? {} : shortConvSchema.write(conv, convNames)),
    ...writeAttention(family, model, ["qkNorm"]),
    layer_types: model.layers.map(({ mixers: [mixer] }) => (mixer!.kind === "attention" ? "full_attention" : "conv")),
  };
}

/** LFM2: gated short convolutions, attention with normed queries and keys in some layers, a gated MLP in each. */
export const lfm2: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: lfm2Weights,
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const head = { ...model.head, tie: readLfm2Tie(fields, model.head.tie) };
    const layers = readLfm2Layers(fields, dModel, nLayer, normEps);
    return { ...model, head, mlp: { hidden: readWidth(fields) }, layers };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectMlps(NAME, model);
    const mixture = sharedMlp(NAME, model, true);
    expressible(NAME, mixture === undefined, "experts", mixture?.experts);
    const { hidden } = sharedMlp(NAME, model, false)!;
    for (const { mlp } of model.layers) expectMlp(NAME, mlp, { hidden });
    return {
      ...writeShared(model, NAME, "Lfm2ForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeLfm2Layers(NAME, model),
      intermediate_size: hidden,
      block_auto_adjust_ff_dim: false,
    };
  },
};
