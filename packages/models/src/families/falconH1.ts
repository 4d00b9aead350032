import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Names } from "../config/schema.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { expressible, sharedSettings, type Family } from "./family.ts";
import { formatTransformersJson, isModelType, readRopeTheta, readShared, writeShared } from "./transformers.ts";

const NAME = "falcon_h1";
const DEFAULTS = {
  vocabSize: 128000,
  dModel: 4096,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-5],
} as const;

const ssmNames = mamba2Schema.names(undefined, {
  expand: "mamba_expand",
  dInner: "mamba_d_ssm",
  nHeads: "mamba_n_heads",
  headDim: "mamba_d_head",
  nGroups: "mamba_n_groups",
  dState: "mamba_d_state",
  dConv: "mamba_d_conv",
  chunkSize: "mamba_chunk_size",
  useBias: "mamba_proj_bias",
  useOutBias: "projectors_bias",
  useConvBias: "mamba_conv_bias",
  mixerNorm: "mamba_rms_norm",
  normBeforeGate: "mamba_norm_before_gate",
  timeStepLimit: "time_step_limit",
  timeStepMin: "time_step_min",
  timeStepMax: "time_step_max",
  projectionMultipliers: "ssm_multipliers",
});
const attentionNames = attentionSchema.names(undefined, {
  nHeads: "num_attention_heads",
  nHeadsKv: "num_key_value_heads",
  headDim: "head_dim",
  useQkvBias: "attention_bias",
  useOutBias: "attention_bias",
});
/** Factors on what each mixer takes and gives. */
const inputFactors = ["ssm_in_multiplier", "attention_in_multiplier"] as const;
const outputFactors = ["ssm_out_multiplier", "attention_out_multiplier"] as const;

function readMamba2(fields: ConfigFields, dModel: number, eps: number): Mamba2MixerConfig {
  const names: Names = (setting) =>
    setting === "headDim" && fields.is("mamba_d_head", "auto") ? undefined : ssmNames(setting);
  const defaults = {
    // Written null, it is that of mamba_expand.
    ...("mamba_d_ssm" in fields.json ? {} : { dInner: 1024 }),
    nHeads: 128,
    dState: 256,
    chunkSize: 256,
    mixerNorm: false,
    mixerNormEps: eps,
    normBeforeGate: true,
    useOutBias: false,
  };
  const config = mamba2Schema.read(fields, dModel, { names, defaults });
  return { ...config, normGroupSize: config.dInner / config.nGroups };
}

function readAttention(fields: ConfigFields, dModel: number): AttentionMixerConfig {
  const defaults = { nHeads: 32, nHeadsKv: 8, rotaryBase: readRopeTheta(fields, 10000) };
  const config = attentionSchema.read(fields, dModel, { names: attentionNames, defaults });
  // Keys are scaled before they are rotated: a factor on the scores.
  return { ...config, softmaxScale: config.headDim ** -0.5 * fields.number("key_multiplier", 1) };
}

/** Falcon-H1: Mamba-2 and attention side by side in each layer, with muP's factors everywhere (arXiv 2507.22448). */
export const falconH1: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.input_layernorm",
    "layers.*.mixer.0": "model.layers.*.mamba",
    "layers.*.mixer.1.in_proj": {
      "model.layers.*.self_attn.q_proj": ["q"],
      "model.layers.*.self_attn.k_proj": ["k"],
      "model.layers.*.self_attn.v_proj": ["v"],
    },
    "layers.*.mixer.1.out_proj": "model.layers.*.self_attn.o_proj",
    "layers.*.norm2": "model.layers.*.pre_ff_layernorm",
    "layers.*.mlp.fc1": {
      "model.layers.*.feed_forward.gate_proj": ["gate"],
      "model.layers.*.feed_forward.up_proj": ["up"],
    },
    "layers.*.mlp.fc2": "model.layers.*.feed_forward.down_proj",
    norm_f: "model.final_layernorm",
    head: "lm_head",
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const [gateMultiplier, outputMultiplier] = fields.numbers("mlp_multipliers", [1, 1], 2) as [number, number];
    const factors = (k: 0 | 1): Record<"inputMultiplier" | "outputMultiplier", number> => ({
      inputMultiplier: fields.number(inputFactors[k], 1),
      outputMultiplier: fields.number(outputFactors[k], 1),
    });
    const mixers = [
      { kind: "mamba2", ...factors(0), ...readMamba2(fields, dModel, normEps) },
      { kind: "attention", ...factors(1), ...readAttention(fields, dModel) },
    ] as const;
    const hidden = fields.integer("intermediate_size", 14336);
    return {
      ...model,
      encoder: { ...model.encoder, multiplier: fields.number("embedding_multiplier", 1) },
      head: { ...model.head, multiplier: fields.number("lm_head_multiplier", 1) },
      mlp: { hidden, gateMultiplier, outputMultiplier, useBias: fields.boolean("mlp_bias", false) },
      layers: Array.from({ length: nLayer }, () => ({ mixers })),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    const { encoder, head, layers } = model;
    const [{ mixers, mlp }] = layers as [(typeof layers)[number]];
    const kinds = layers.map((layer) => layer.mixers.map(({ kind }) => kind).join());
    expressible(NAME, kinds.every((kind) => kind === "mamba2,attention") && mlp !== undefined, "layers", kinds);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2")!;
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention")!;
    const { headDim, useQkvBias, useOutBias, rotaryDim, softmaxScale } = attention;
    expressible(NAME, useQkvBias === useOutBias, "useOutBias", useOutBias);
    expressible(NAME, rotaryDim === headDim, "rotaryDim", rotaryDim);
    expressible(NAME, ssm.normGroupSize === ssm.dInner / ssm.nGroups, "normGroupSize", ssm.normGroupSize);
    return {
      ...writeShared(model, NAME, "FalconH1ForCausalLM", DEFAULTS.eps[0], dtype),
      ...mamba2Schema.write(ssm, ssmNames),
      ...attentionSchema.write(attention, attentionNames),
      ...Object.fromEntries(inputFactors.map((name, k) => [name, mixers[k]!.inputMultiplier])),
      ...Object.fromEntries(outputFactors.map((name, k) => [name, mixers[k]!.outputMultiplier])),
      key_multiplier: Number((softmaxScale * headDim ** 0.5).toPrecision(15)),
      ssm_multipliers: [...(ssm.projectionMultipliers ?? [1, 1, 1, 1, 1])],
      embedding_multiplier: encoder.kind === "embedding" ? (encoder.multiplier ?? 1) : 1,
      lm_head_multiplier: head.kind === "language" ? (head.multiplier ?? 1) : 1,
      rope_parameters: { rope_theta: attention.rotaryBase, rope_type: "default" },
      intermediate_size: mlp!.hidden,
      mlp_multipliers: [mlp!.gateMultiplier, mlp!.outputMultiplier],
      mlp_bias: mlp!.useBias,
    };
  },
};
