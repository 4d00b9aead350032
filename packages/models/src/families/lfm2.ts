import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { shortConvSchema, type ShortConvConfig } from "../mixers/shortConv/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { readAttention, writeAttention } from "./hybrids.ts";
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
const names = shortConvSchema.names(undefined, { dConv: "conv_L_cache", useBias: "conv_bias" });

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
  if (!fields.has("layer_types")) {
    const all = Array.from({ length: nLayer }, (_, i) => i);
    const attends = new Set(fields.integers("full_attn_idxs", all, { max: nLayer - 1 }));
    return all.map((i) => attends.has(i));
  }
  const types = fields.choices("layer_types", ["conv", "full_attention"], "conv", nLayer);
  if (types.length !== nLayer) throw fields.error("layer_types", `must have num_hidden_layers = ${nLayer} entries`);
  return types.map((type) => type === "full_attention");
}

/** LFM2: gated short convolutions, attention with normed queries and keys in some layers, a gated MLP in each. */
export const lfm2: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
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
    "layers.*.mlp.fc1": { "model.layers.*.feed_forward.w1": ["gate"], "model.layers.*.feed_forward.w3": ["up"] },
    "layers.*.mlp.fc2": "model.layers.*.feed_forward.w2",
    norm_f: "model.embedding_norm",
    head: "lm_head",
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const norms = { nHeadsKv: 8, qkNorm: "head", qkNormEps: normEps } as const;
    const attention: LayerSettings = { kind: "attention", ...readAttention(fields, dModel, norms, 1e6) };
    const conv: LayerSettings = { kind: "shortConv", ...shortConvSchema.read(fields, dModel, { names }) };
    const layers = readTypes(fields, nLayer).map((attends) => (attends ? attention : conv));
    return { ...model, mlp: { hidden: readWidth(fields) }, layers };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["shortConv", "attention"]);
    const conv = sharedSettings<ShortConvConfig>(NAME, model, "shortConv");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    const { mlp } = model.layers[0]!;
    expressible(NAME, mlp !== undefined && mlp.gated && mlp.activation === "silu" && !mlp.useBias, "mlp", mlp);
    expressible(NAME, attention === undefined || attention.qkNorm === "head", "qkNorm", attention?.qkNorm);
    return {
      ...writeShared(model, NAME, "Lfm2ForCausalLM", DEFAULTS.eps[0], dtype),
      ...(conv === undefined ? {} : shortConvSchema.write(conv, names)),
      ...writeAttention(NAME, model, ["qkNorm"]),
      layer_types: model.layers.map(({ mixers: [mixer] }) => (mixer!.kind === "attention" ? "full_attention" : "conv")),
      intermediate_size: mlp!.hidden,
      block_auto_adjust_ff_dim: false,
    };
  },
};
