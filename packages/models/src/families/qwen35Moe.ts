import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { writeDeltaLayers } from "./deltaHybrids.ts";
import { expressible, type Family } from "./family.ts";
import { expectMlps, sharedMlp } from "./mlps.ts";
import {
  expectOneEps,
  MTP,
  QWEN35_DEFAULTS,
  qwenWeights,
  readQwen35,
  textConfig,
  VISION,
  writeQwenAttention,
} from "./qwen35.ts";
import { joinedQwenExperts, qwenExpertWeights, readQwenMixture, writeQwenMixture } from "./qwenExperts.ts";
import { formatTransformersJson, isModelType, writeShared } from "./transformers.ts";

const NAME = "qwen3_5_moe_text";
const DEFAULTS = { ...QWEN35_DEFAULTS, dModel: 2048, nLayer: 40 } as const;

function read(fields: ConfigFields): ModelConfig {
  const mlp = readQwenMixture(fields, { experts: 256, expertsPerToken: 8 });
  return { ...readQwen35(fields, NAME, DEFAULTS, { nHeads: 16, nHeadsKv: 2 }), mlp };
}

/** Qwen3.5 with experts in every layer. */
export const qwen35Moe: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: { ...qwenWeights("model"), ...qwenExpertWeights("model") },
  alternatives: joinedQwenExperts("model"),
  leftOut: MTP,
  read,
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectOneEps(NAME, model);
    expectMlps(NAME, model);
    const dense = sharedMlp(NAME, model, false);
    expressible(NAME, dense === undefined, "mlp", dense);
    return {
      ...writeShared(model, NAME, "Qwen3_5MoeForCausalLM", DEFAULTS.eps[0], dtype, 1),
      ...writeDeltaLayers(NAME, model, { mixtures: true }),
      ...writeQwenAttention(NAME, model),
      ...writeQwenMixture(NAME, sharedMlp(NAME, model, true)!),
    };
  },
};

/** The same as it is published, with a vision tower that is left out. What is saved is the language model, as `qwen3_5_moe_text`. */
export const qwen35MoeVision: Family = {
  name: "qwen3_5_moe",
  detect: (config) => isModelType(config, "qwen3_5_moe"),
  weights: { ...qwenWeights("model.language_model"), ...qwenExpertWeights("model.language_model") },
  alternatives: joinedQwenExperts("model.language_model"),
  leftOut: VISION,
  read: (fields) => read(textConfig(fields)),
};
