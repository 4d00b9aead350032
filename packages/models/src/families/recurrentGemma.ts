import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Activation } from "../layers/activations.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { rgLruSchema, type RgLruConfig } from "../mixers/rgLru/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, writeAttention } from "./hybrids.ts";
import { mlpWeights } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "recurrent_gemma";
const DEFAULTS = {
  vocabSize: 256000,
  dModel: 2560,
  nLayer: 26,
  bos: 2,
  eos: 1,
  pad: 0,
  tie: true,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;
const TYPES = ["recurrent", "attention"] as const;
const ACTIVATIONS: Readonly<Record<string, Activation>> = { gelu_pytorch_tanh: "geluTanh", gelu: "gelu", silu: "silu" };
const names = rgLruSchema.names("transformers");
const block = "model.layers.*.temporal_block";

/** The factor of the embedding: the root of its width, which published code keeps in bfloat16 (8 bits) whatever computes. */
function embeddingScale(dModel: number): number {
  const root = Math.sqrt(dModel);
  const unit = 2 ** (Math.floor(Math.log2(root)) - 7);
  return Math.round(root / unit) * unit;
}

/** A layer's type each: the list is repeated as often as it must. */
function readTypes(fields: ConfigFields, nLayer: number): readonly (typeof TYPES)[number][] {
  const pattern = fields.has("block_types")
    ? fields.choices("block_types", TYPES, "recurrent", nLayer)
    : (["recurrent", "recurrent", "attention"] as const);
  return Array.from({ length: nLayer }, (_, i) => pattern[i % pattern.length]!);
}

/** RecurrentGemma: gated linear recurrences, attention over a window in every third layer, a gated MLP in each; norms keep their distance from 1. */
export const recurrentGemma: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.temporal_pre_norm",
    "layers.*.rgLru.in_proj": { [`${block}.linear_x`]: ["x"], [`${block}.linear_y`]: ["y"] },
    "layers.*.rgLru.conv1d": `${block}.conv_1d`,
    "layers.*.rgLru.input_gate.weight": `${block}.rg_lru.input_gate_weight`,
    "layers.*.rgLru.input_gate.bias": `${block}.rg_lru.input_gate_bias`,
    "layers.*.rgLru.recurrent_gate.weight": `${block}.rg_lru.recurrent_gate_weight`,
    "layers.*.rgLru.recurrent_gate.bias": `${block}.rg_lru.recurrent_gate_bias`,
    "layers.*.rgLru.a_param": `${block}.rg_lru.recurrent_param`,
    "layers.*.rgLru.out_proj": `${block}.linear_out`,
    ...attentionWeights(block),
    "layers.*.norm2": "model.layers.*.channel_pre_norm",
    ...mlpWeights("model.layers.*.mlp_block"),
    norm_f: "model.final_norm",
    head: "lm_head",
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, model } = readShared(fields, NAME, DEFAULTS);
    const known = Object.keys(ACTIVATIONS);
    const activation = ACTIVATIONS[fields.choice("hidden_activation", known, "gelu_pytorch_tanh")]!;
    const share = fields.object("rope_parameters").has("partial_rotary_factor")
      ? fields.object("rope_parameters")
      : fields;
    const factor = share.number("partial_rotary_factor", 0.5, { min: 0, max: 1 });
    const read = readAttention(fields, dModel, { nHeads: 10 });
    const window = fields.integer("attention_window_size", 2048);
    const rotaryDim = Math.floor(read.headDim * factor);
    if (rotaryDim % 2 !== 0)
      throw share.error("partial_rotary_factor", `must leave an even part of head_dim = ${read.headDim}`);
    const attention: LayerSettings = { kind: "attention", ...read, useOutBias: true, rotaryDim, window };
    const defaults = { nHeads: read.nHeads, activation };
    const recurrent: LayerSettings = { kind: "rgLru", ...rgLruSchema.read(fields, dModel, { names, defaults }) };
    const width = fields.integer("intermediate_size", 3 * 2560, { min: 2 });
    return {
      ...model,
      normOffset: 1,
      encoder: { ...model.encoder, multiplier: embeddingScale(dModel) },
      head: { ...model.head, logitCap: fields.number("logits_soft_cap", 30, { min: 0, above: true }) },
      mlp: { hidden: Math.floor(width / 2), activation, useBias: true },
      layers: readTypes(fields, nLayer).map((type) => (type === "attention" ? attention : recurrent)),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["rgLru", "attention"]);
    const recurrent = sharedSettings<RgLruConfig>(NAME, model, "rgLru");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    const { encoder, head, layers, dModel } = model;
    const { mlp } = layers[0]!;
    expressible(NAME, mlp !== undefined && mlp.gated && mlp.useBias && mlp.experts === 0, "mlp", mlp);
    const activation = Object.keys(ACTIVATIONS).find((theirs) => ACTIVATIONS[theirs] === mlp!.activation);
    expressible(NAME, (recurrent?.activation ?? mlp!.activation) === mlp!.activation, "activation", mlp!.activation);
    expressible(
      NAME,
      encoder.kind === "embedding" && encoder.multiplier === embeddingScale(dModel),
      "encoder",
      encoder,
    );
    const logitCap = head.kind === "language" ? head.logitCap : undefined;
    expressible(NAME, activation !== undefined && logitCap !== undefined, "head.logitCap", logitCap);
    const nHeads = attention?.nHeads ?? recurrent!.nHeads;
    expressible(NAME, recurrent === undefined || recurrent.nHeads === nHeads, "nHeads", recurrent?.nHeads);
    expressible(NAME, attention === undefined || attention.useOutBias, "useOutBias", attention?.useOutBias);
    expressible(NAME, attention === undefined || attention.window > 0, "window", attention?.window);
    const share = attention === undefined ? 0.5 : attention.rotaryDim / attention.headDim;
    const uncapped = {
      ...model,
      head: { kind: "language", tie: head.kind === "language" && head.tie === true } as const,
    };
    const { hidden_act: _, ...shared } = writeShared(
      uncapped,
      NAME,
      "RecurrentGemmaForCausalLM",
      DEFAULTS.eps[0],
      dtype,
      1,
    );
    const { rope_parameters: rope, ...written } = writeAttention(NAME, model, ["useOutBias", "window"]);
    return {
      ...shared,
      ...(recurrent === undefined ? {} : rgLruSchema.write(recurrent, names)),
      ...written,
      num_attention_heads: nHeads,
      partial_rotary_factor: share,
      rope_parameters: { ...(rope as JsonObject), partial_rotary_factor: share },
      block_types: layers.map(({ mixers: [mixer] }) => (mixer!.kind === "attention" ? "attention" : "recurrent")),
      attention_window_size: attention?.window ?? 2048,
      hidden_activation: activation!,
      intermediate_size: 2 * mlp!.hidden,
      logits_soft_cap: logitCap!,
    };
  },
};
