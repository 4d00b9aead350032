import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MlpSettings } from "../layers/mlpConfig.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { readDelta, readDeltaLayers, writeDeltaLayers } from "./deltaHybrids.ts";
import type { Family } from "./family.ts";
import { sharedMlp } from "./mlps.ts";
import { joinedQwenExperts, qwenExpertWeights, readQwenMixture, writeQwenMixture } from "./qwenExperts.ts";
import { expectOneEps, MTP, qwenWeights, readQwenAttention, writeQwenAttention } from "./qwen35.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "qwen3_next";
const DEFAULTS = {
  vocabSize: 151936,
  dModel: 2048,
  nLayer: 48,
  bos: null,
  eos: null,
  pad: null,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;

/** Each layer's MLP, a mixture but for some: experts for a token, one for all, which is gated. */
function readMlps(fields: ConfigFields, layers: readonly LayerSettings[]): readonly LayerSettings[] {
  const experts = fields.integer("num_experts", 512, { min: 0 });
  const step = fields.integer("decoder_sparse_step", 1);
  const dense = new Set(fields.integers("mlp_only_layers", []));
  const mixed = layers.map((_, i) => experts > 0 && !dense.has(i) && (i + 1) % step === 0);
  const plain = { hidden: fields.integer("intermediate_size", 5632) };
  const renormalize = fields.boolean("norm_topk_prob", true);
  const mixture = (): MlpSettings => ({
    ...readQwenMixture(fields, { experts: 512, expertsPerToken: 10 }),
    renormalize,
  });
  return layers.map((layer, i) => Object.assign({}, layer, { mlp: mixed[i] ? mixture() : plain }));
}

function writeMlps(model: ResolvedModel): JsonObject {
  const mixture = sharedMlp(NAME, model, true);
  if (mixture === undefined) return { num_experts: 0 };
  const { renormalize } = mixture;
  return {
    ...writeQwenMixture(NAME, mixture, renormalize),
    norm_topk_prob: renormalize,
    decoder_sparse_step: 1,
    mlp_only_layers: model.layers.flatMap(({ mlp }, i) => (mlp!.experts > 0 ? [] : [i])),
  };
}

/**
 * Qwen3-Next: the layers of Qwen3.5, most of them with experts. Its files interleave what belongs to one head of keys: its query and key, the
 * values and gates of the heads that share it; and their b and a.
 */
export const qwen3Next: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    ...qwenWeights("model"),
    "layers.*.gatedDelta.in_proj": {
      "model.layers.*.linear_attn.in_proj_qkvz": [["q", "k", "v", "z"]],
      "model.layers.*.linear_attn.in_proj_ba": [["b", "a"]],
    },
    ...qwenExpertWeights("model"),
  },
  alternatives: joinedQwenExperts("model"),
  leftOut: MTP,
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const heads = { nHeads: 32, nHeadsKey: 16, headDim: 128, dState: 128 };
    const delta = readDelta(fields, dModel, { ...heads, mixerNormEps: normEps, aInitRange: [0, 16] });
    const attention = readQwenAttention(fields, dModel, normEps, { nHeads: 16, nHeadsKv: 2 });
    const kinds = [
      { kind: "gatedDelta", ...delta },
      { kind: "attention", ...attention },
    ] as const;
    return { ...model, normOffset: 1, layers: readMlps(fields, readDeltaLayers(fields, nLayer, ...kinds)) };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectOneEps(NAME, model);
    return {
      ...writeShared(model, NAME, "Qwen3NextForCausalLM", DEFAULTS.eps[0], dtype, 1),
      ...writeDeltaLayers(NAME, model, { mixtures: true }),
      ...writeQwenAttention(NAME, model),
      ...writeMlps(model),
    };
  },
};
