import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { mambaSchema, type MambaMixerConfig } from "../mixers/mamba/config.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { expectNoExtras, formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

/** Weights of the Mamba families under the names of the papers' authors, which transformers kept. */
export const mambaWeights = {
  encoder: "backbone.embeddings",
  "layers.*": "backbone.layers.*",
  norm_f: "backbone.norm_f",
  head: "lm_head",
};
/** The name that the authors' own files have for the embedding. */
export const mambaAliases = { "backbone.embedding.weight": "backbone.embeddings.weight" };

const EPS = "layer_norm_epsilon";
const DEFAULTS = {
  vocabSize: 50280,
  dModel: 768,
  nLayer: 32,
  bos: 0,
  eos: 0,
  pad: 0,
  tie: true,
  initializerRange: 0.1,
  eps: [EPS, 1e-5],
} as const;

/** Mamba has no norms on B, C and delta; FalconMamba is the same with them. */
function makeFamily(name: "mamba" | "falcon_mamba", architecture: string): Family {
  const dialect = mambaSchema.names("transformers");
  const names = (setting: string): string | undefined =>
    setting === "mixerNormEps" && name === "mamba" ? undefined : dialect(setting);
  return {
    name,
    weights: mambaWeights,
    weightOnly: ["dt_proj"],
    aliases: mambaAliases,
    stringify: formatTransformersJson,
    detect: (config) => isModelType(config, name),
    read(fields: ConfigFields): ModelConfig {
      const { dModel, nLayer, model } = readShared(fields, name, DEFAULTS);
      const defaults = name === "mamba" ? {} : { mixerNormEps: 1e-6 };
      const layer = { kind: "mamba", ...mambaSchema.read(fields, dModel, { names, defaults }) } as const;
      return { ...model, layers: Array.from({ length: nLayer }, () => layer) };
    },
    write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
      expectPlainLayers(name, model, ["mamba"]);
      expectNoExtras(name, model);
      const config = sharedSettings<MambaMixerConfig>(name, model, "mamba")!;
      expressible(
        name,
        (config.mixerNormEps === undefined) === (name === "mamba"),
        "mixerNormEps",
        config.mixerNormEps,
      );
      expressible(name, !config.mixerNormWeight, "mixerNormWeight", config.mixerNormWeight);
      return {
        ...writeShared(model, name, architecture, EPS, dtype),
        ...mambaSchema.write(config, names),
        // Beside intermediate_size, which wins, expand only has to be a whole number.
        expand: Math.max(1, Math.round(config.dInner / config.dModel)),
        residual_in_fp32: model.residualInFp32,
        // Says how weights start. Saved weights are past that, and transformers 5 divides what it has just loaded where this is true.
        rescale_prenorm_residual: false,
      };
    },
  };
}

/** Mamba as Hugging Face transformers keeps it (arXiv 2312.00752). */
export const mamba: Family = makeFamily("mamba", "MambaForCausalLM");

/** FalconMamba (arXiv 2410.05355). */
export const falconMamba: Family = makeFamily("falcon_mamba", "FalconMambaForCausalLM");
