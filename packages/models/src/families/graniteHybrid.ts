import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MlpSettings } from "../layers/mlpConfig.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, readSsm, writeAttention, writeSsm } from "./hybrids.ts";
import { expectMlp, expectMlps, joinedExpertWeights, readExpertsPerToken, sharedMlp } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "granitemoehybrid";
const DEFAULTS = {
  vocabSize: 32000,
  dModel: 4096,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: null,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;
const MAMBA_TYPES = ["mamba", "linear_attention"];
const LAYER_TYPES = [...MAMBA_TYPES, "attention", "full_attention"] as const;

/** A gated MLP, with experts beside it in the larger models; those are weighed by the softmax over a token's own. */
function readMlp(fields: ConfigFields): MlpSettings {
  const shared = fields.integer("shared_intermediate_size", 1024);
  const experts = fields.integer("num_local_experts", 8, { min: 0 });
  if (experts === 0) return { hidden: shared };
  const hidden = fields.integer("intermediate_size", 11008);
  return { hidden, experts, expertsPerToken: readExpertsPerToken(fields, 2), sharedHidden: shared };
}

function writeMlp(model: ResolvedModel): JsonObject {
  expectMlps(NAME, model);
  const [mixture, dense] = [sharedMlp(NAME, model, true), sharedMlp(NAME, model, false)];
  expressible(NAME, mixture === undefined || dense === undefined, "mlp", dense);
  if (mixture === undefined) {
    const { hidden } = dense!;
    expectMlp(NAME, dense, { hidden });
    return { shared_intermediate_size: hidden, num_local_experts: 0, num_experts_per_tok: 0 };
  }
  const { hidden, experts, expertsPerToken, sharedHidden } = mixture;
  expressible(NAME, sharedHidden > 0, "sharedHidden", sharedHidden);
  expectMlp(NAME, mixture, { hidden, experts, expertsPerToken, sharedHidden });
  return {
    shared_intermediate_size: sharedHidden,
    intermediate_size: hidden,
    num_local_experts: experts,
    num_experts_per_tok: expertsPerToken,
  };
}

/** Granite 4.0 H: Mamba-2 layers, attention (without positions) in some, a gated MLP in each, experts beside it in some models, factors as muP has them. */
export const graniteHybrid: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.input_layernorm",
    "layers.*.mamba2": "model.layers.*.mamba",
    ...attentionWeights("model.layers.*.self_attn"),
    "layers.*.norm2": "model.layers.*.post_attention_layernorm",
    "layers.*.mlp.fc1": { "model.layers.*.shared_mlp.input_linear": ["gate", "up"] },
    "layers.*.mlp.fc2": "model.layers.*.shared_mlp.output_linear",
    "layers.*.mlp.shared.fc1": { "model.layers.*.shared_mlp.input_linear": ["gate", "up"] },
    "layers.*.mlp.shared.fc2": "model.layers.*.shared_mlp.output_linear",
    "layers.*.mlp.router": "model.layers.*.block_sparse_moe.router.layer",
    "layers.*.mlp.experts.fc1": { "model.layers.*.block_sparse_moe.input_linear": [["gate", "up"]] },
    "layers.*.mlp.experts.fc2": { "model.layers.*.block_sparse_moe.output_linear": ["down"] },
    norm_f: "model.norm",
    head: "lm_head",
  },
  alternatives: {
    "layers.*.mlp.router": "model.layers.*.block_sparse_moe.router",
    ...joinedExpertWeights("model.layers.*.block_sparse_moe.experts"),
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const rotated = fields.choice("position_embedding_type", ["none", "nope", "rope"], "none") === "rope";
    const read = readAttention(fields, dModel, rotated ? {} : { rotaryDim: 0 });
    const softmaxScale = fields.number("attention_multiplier", 1, { min: 0, max: 1e6 });
    const attention: LayerSettings = { kind: "attention", ...read, softmaxScale };
    const ssm: LayerSettings = { kind: "mamba2", ...readSsm(fields, dModel, { mixerNormEps: normEps }) };
    const key = fields.has("layer_types") ? "layer_types" : "layers_block_type";
    const types = fields.choices(key, LAYER_TYPES, "mamba", nLayer);
    if (types.length !== nLayer) throw fields.error(key, `must have num_hidden_layers = ${nLayer} entries`);
    return {
      ...model,
      encoder: { ...model.encoder, multiplier: fields.number("embedding_multiplier", 1) },
      head: { ...model.head, multiplier: 1 / fields.number("logits_scaling", 1, { min: 0, above: true }) },
      residualMultiplier: fields.number("residual_multiplier", 1),
      mlp: readMlp(fields),
      layers: types.map((type) => (MAMBA_TYPES.includes(type) ? ssm : attention)),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba2", "attention"]);
    const { encoder, head, layers } = model;
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    expressible(NAME, ssm === undefined || ssm.normGroupSize === ssm.dInner, "normGroupSize", ssm?.normGroupSize);
    return {
      ...writeShared(model, NAME, "GraniteMoeHybridForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeSsm(NAME, model),
      ...writeAttention(NAME, model),
      position_embedding_type: attention?.rotaryDim === attention?.headDim ? "rope" : null,
      attention_multiplier: attention?.softmaxScale ?? 1,
      embedding_multiplier: encoder.kind === "embedding" ? (encoder.multiplier ?? 1) : 1,
      logits_scaling: head.kind === "language" ? Number((1 / (head.multiplier ?? 1)).toPrecision(15)) : 1,
      residual_multiplier: model.residualMultiplier,
      layer_types: layers.map(({ mixers: [mixer] }) => (mixer!.kind === "mamba2" ? "mamba" : "attention")),
      ...writeMlp(model),
    };
  },
};
