import { FormatError } from "@statespace/core";
import { AttentionMixer } from "../mixers/attention/mixer.ts";
import { MlpMixer } from "../mixers/mlp/mixer.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { MambaMixer } from "../mixers/mamba/mixer.ts";
import { Mamba2Mixer } from "../mixers/mamba2/mixer.ts";
import { Mamba3Mixer } from "../mixers/mamba3/mixer.ts";
import type { HybridConfig, LanguageConfig } from "./hybridConfig.ts";

/** How often a stack adds to its residual stream, by whose root its projections onto it are divided at the start; 0 where they are not. */
export function residualAdditions({ rescalePrenormResidual, nLayer, dIntermediate }: LanguageConfig): number {
  return rescalePrenormResidual ? nLayer * (dIntermediate > 0 ? 2 : 1) : 0;
}

/** The mixer of one layer of a language model, as its config names it. @throws FormatError for attention that looks ahead. */
export function makeMixer(config: LanguageConfig, layer: number, build: ParameterBuilder): Mixer {
  if (config.attention !== undefined && config.attnLayers.includes(layer)) {
    if (!config.attention.causal)
      throw new FormatError("config.json: attn_cfg.causal must be true; a language model cannot look ahead");
    return new AttentionMixer({ ...config.attention, dModel: config.dModel }, build);
  }
  switch (config.modelType) {
    case "hybrid":
      return makeHybridMixer(config, layer, build);
    case "mamba3":
      return new Mamba3Mixer(config, build);
    case "mamba2":
      return new Mamba2Mixer(config, build);
    default:
      return new MambaMixer(config, build);
  }
}

function makeHybridMixer({ layers, settings }: HybridConfig, layer: number, build: ParameterBuilder): Mixer {
  switch (layers[layer]!) {
    case "mamba":
      return new MambaMixer(settings.mamba, build);
    case "mamba2":
      return new Mamba2Mixer(settings.mamba2, build);
    case "mamba3":
      return new Mamba3Mixer(settings.mamba3, build);
    case "attention":
      return new AttentionMixer(settings.attention, build);
    case "mlp":
      return new MlpMixer(settings.mlp, build);
  }
}
