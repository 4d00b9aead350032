import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { readDelta, readDeltaLayers, writeDeltaLayers } from "./deltaHybrids.ts";
import type { Family } from "./family.ts";
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

/** @throws FormatError naming the first layer whose MLP is a mixture of experts. */
function refuseExperts(fields: ConfigFields, nLayer: number): void {
  const experts = fields.integer("num_experts", 512, { min: 0 });
  const step = fields.integer("decoder_sparse_step", 1, { min: 0 });
  const dense = fields.integers("mlp_only_layers", []);
  const mixed = Array.from({ length: nLayer }, (_, i) => i).find(
    (i) => experts > 0 && !dense.includes(i) && step > 0 && (i + 1) % step === 0,
  );
  if (mixed !== undefined)
    throw fields.error("num_experts", `must be 0, for layer ${mixed} too: mixtures of experts are not read`);
}

/**
 * Qwen3-Next with dense MLPs: the layers of Qwen3.5. Its files interleave what belongs to one head of keys: its query and key, the values
 * and gates of the heads that share it; and their b and a.
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
  },
  leftOut: MTP,
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    refuseExperts(fields, nLayer);
    const heads = { nHeads: 32, nHeadsKey: 16, headDim: 128, dState: 128 };
    const delta = readDelta(fields, dModel, { ...heads, mixerNormEps: normEps, aInitRange: [0, 16] });
    const attention = readQwenAttention(fields, dModel, normEps, { nHeads: 16, nHeadsKv: 2 });
    return {
      ...model,
      normOffset: 1,
      mlp: { hidden: fields.integer("intermediate_size", 5632) },
      layers: readDeltaLayers(fields, nLayer, { kind: "gatedDelta", ...delta }, { kind: "attention", ...attention }),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectOneEps(NAME, model);
    return {
      ...writeShared(model, NAME, "Qwen3NextForCausalLM", DEFAULTS.eps[0], dtype, 1),
      ...writeDeltaLayers(NAME, model),
      ...writeQwenAttention(NAME, model),
      num_experts: 0,
    };
  },
};
