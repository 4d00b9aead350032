import type { FloatStorage, JsonObject } from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { readDelta, readDeltaLayers, writeDeltaLayers } from "./deltaHybrids.ts";
import { expressible, sharedSettings, type Family } from "./family.ts";
import { readAttention } from "./hybrids.ts";
import { mlpWeights } from "./mlps.ts";
import { writeRope } from "./rope.ts";
import {
  formatTransformersJson,
  isModelType,
  readShared,
  writeShared,
  type TransformersDefaults,
} from "./transformers.ts";
import type { WeightRules } from "./weightNames.ts";

const NAME = "qwen3_5_text";
/** What its configuration has where the file says nothing. */
export const QWEN35_DEFAULTS = {
  vocabSize: 248320,
  dModel: 4096,
  nLayer: 32,
  bos: null,
  eos: null,
  pad: null,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;
/** What the files of both hold beside the model. */
export const MTP = { "mtp.": "the heads that predict further tokens" };

/** What the files of a model that also sees hold beside it. */
export const VISION: Readonly<Record<string, string>> = { "model.visual.": "the vision tower", ...MTP };

/** The config of the language model of one that also sees. @throws FormatError where there is none. */
export function textConfig(fields: ConfigFields): ConfigFields {
  const { tie_word_embeddings: tie = null, text_config: own } = fields.json;
  if (!fields.isObject("text_config")) throw fields.error("text_config", "must be an object");
  return new ConfigFields(
    // Of both, the whole model's says whether its head is the embedding: its class reads that one.
    { ...(own as JsonObject), ...(tie === null ? {} : { tie_word_embeddings: tie }) },
    "text_config.",
    undefined,
    fields.notes,
  );
}

/** Names of the weights of the language model; files of a model that also sees have it under a longer name. */
export function qwenWeights(root: string): WeightRules {
  const layer = `${root}.layers.*`;
  return {
    encoder: `${root}.embed_tokens`,
    "layers.*.norm": `${layer}.input_layernorm`,
    "layers.*.gatedDelta": `${layer}.linear_attn`,
    "layers.*.gatedDelta.in_proj": {
      [`${layer}.linear_attn.in_proj_qkv`]: ["q", "k", "v"],
      [`${layer}.linear_attn.in_proj_z`]: ["z"],
      [`${layer}.linear_attn.in_proj_b`]: ["b"],
      [`${layer}.linear_attn.in_proj_a`]: ["a"],
    },
    "layers.*.attention": `${layer}.self_attn`,
    "layers.*.attention.in_proj": {
      [`${layer}.self_attn.q_proj`]: [["q", "outputGate"]],
      [`${layer}.self_attn.k_proj`]: ["k"],
      [`${layer}.self_attn.v_proj`]: ["v"],
    },
    "layers.*.attention.out_proj": `${layer}.self_attn.o_proj`,
    "layers.*.norm2": `${layer}.post_attention_layernorm`,
    ...mlpWeights(`${layer}.mlp`),
    norm_f: `${root}.norm`,
    head: "lm_head",
  };
}

/** Attention of Qwen3.5 and Qwen3-Next: queries and keys normed by head, a gate beside them, a part of each head rotated. */
export function readQwenAttention(
  fields: ConfigFields,
  dModel: number,
  qkNormEps: number,
  heads: Partial<AttentionMixerConfig>,
): AttentionMixerConfig {
  if (!fields.boolean("attn_output_gate", true)) throw fields.error("attn_output_gate", "must be true");
  const rope = fields.object("rope_parameters");
  const key = "partial_rotary_factor";
  const factor = (rope.has(key) ? rope : fields).number(key, 0.25, { min: 0, max: 1 });
  const norm = { qkNorm: "head", qkNormEps, qkNormOffset: 1, outputGate: true } as const;
  const config = readAttention(fields, dModel, { headDim: 256, ...norm, ...heads });
  const rotaryDim = Math.floor(config.headDim * factor);
  if (rotaryDim % 2 !== 0) throw fields.error(key, `must leave an even part of head_dim = ${config.headDim}`);
  return { ...config, rotaryDim };
}

/** Inverse of what `readQwenAttention` reads beside the heads. @throws ArgumentError for what such a config cannot say. */
export function writeQwenAttention(family: string, model: ResolvedModel): JsonObject {
  const attention = sharedSettings<AttentionMixerConfig>(family, model, "attention");
  if (attention === undefined) return {};
  const { qkNorm, qkNormEps, qkNormOffset, outputGate, rotaryDim, headDim } = attention;
  const norm = { qkNorm, qkNormEps, qkNormOffset };
  expressible(family, qkNorm === "head" && qkNormEps === model.normEps && qkNormOffset === 1, "attention", norm);
  expressible(family, outputGate, "outputGate", outputGate);
  const partial = { partial_rotary_factor: rotaryDim / headDim };
  return { ...partial, rope_parameters: { ...partial, ...writeRope(attention).rope_parameters } };
}

/** @throws ArgumentError where the norm before the gate has an epsilon of its own. */
export function expectOneEps(family: string, { normEps, layers }: ResolvedModel): void {
  for (const { mixers } of layers)
    for (const { config } of mixers) {
      const { mixerNormEps = normEps } = config as { mixerNormEps?: number };
      expressible(family, mixerNormEps === normEps, "mixerNormEps", mixerNormEps);
    }
}

/** A language model of Qwen3.5 but for its MLPs. */
export function readQwen35(
  fields: ConfigFields,
  family: string,
  defaults: TransformersDefaults,
  attentionHeads: Partial<AttentionMixerConfig>,
): ModelConfig {
  const { dModel, nLayer, normEps, model } = readShared(fields, family, defaults);
  const heads = { nHeads: 32, nHeadsKey: 16, headDim: 128, dState: 128 };
  const delta = readDelta(fields, dModel, { ...heads, mixerNormEps: normEps, aInitRange: [0.01, 16] });
  const attention = readQwenAttention(fields, dModel, normEps, attentionHeads);
  const layers = readDeltaLayers(fields, nLayer, { kind: "gatedDelta", ...delta }, { kind: "attention", ...attention });
  return { ...model, normOffset: 1, layers };
}

function read(fields: ConfigFields): ModelConfig {
  const mlp = { hidden: fields.integer("intermediate_size", 12288) };
  return { ...readQwen35(fields, NAME, QWEN35_DEFAULTS, { nHeads: 16, nHeadsKv: 4 }), mlp };
}

/** The language models of Qwen3.5: three layers of Gated DeltaNet, then one of gated attention, an MLP in each; norms keep their distance from 1. */
export const qwen35: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: qwenWeights("model"),
  leftOut: MTP,
  read,
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectOneEps(NAME, model);
    return {
      ...writeShared(model, NAME, "Qwen3_5ForCausalLM", QWEN35_DEFAULTS.eps[0], dtype, 1),
      ...writeDeltaLayers(NAME, model),
      ...writeQwenAttention(NAME, model),
    };
  },
};

/** Qwen3.5 as it is published, with a vision tower that is left out. What is saved is the language model, as `qwen3_5_text`. */
export const qwen35Vision: Family = {
  name: "qwen3_5",
  detect: (config) => isModelType(config, "qwen3_5"),
  weights: qwenWeights("model.language_model"),
  leftOut: VISION,
  read: (fields) => read(textConfig(fields)),
};
