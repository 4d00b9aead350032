import { FormatError } from "@statespace/core";
import { AttentionMixer } from "../attention/block.ts";
import { MlpMixer } from "../layers/mlpMixer.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { MambaMixer } from "../mamba/block.ts";
import { Mamba2Mixer } from "../mamba2/block.ts";
import { Mamba3Mixer } from "../mamba3/block.ts";
import type { HybridConfig, LanguageConfig } from "./hybridConfig.ts";

/** How often a stack adds to its residual stream, by whose root its projections onto it are divided at the start; 0 where they are not. */
export function residualAdditions({ rescalePrenormResidual, nLayer, dIntermediate }: LanguageConfig): number {
  return rescalePrenormResidual ? nLayer * (dIntermediate > 0 ? 2 : 1) : 0;
}

/** The mixer of one layer of a language model, as its config names it. @throws FormatError for attention that looks ahead. */
export function makeMixer(config: LanguageConfig, layer: number, build: ParameterBuilder): Mixer {
  const rescaleLayers = residualAdditions(config);
  if (config.attention !== undefined && config.attnLayers.includes(layer)) {
    if (!config.attention.causal)
      throw new FormatError("config.json: attn_cfg.causal must be true; a language model cannot look ahead");
    return new AttentionMixer({ ...config.attention, dModel: config.dModel, rescaleLayers }, build);
  }
  switch (config.modelType) {
    case "hybrid":
      return makeHybridMixer(config, layer, rescaleLayers, build);
    case "mamba3":
      return new Mamba3Mixer({ ...config, rescaleLayers }, build);
    case "mamba2":
      return new Mamba2Mixer({ ...config, rescaleLayers }, build);
    default:
      return new MambaMixer({ ...config, rescaleLayers }, build);
  }
}

function makeHybridMixer(
  { layers, settings, dModel }: HybridConfig,
  layer: number,
  rescaleLayers: number,
  build: ParameterBuilder,
): Mixer {
  switch (layers[layer]!) {
    case "mamba":
      return new MambaMixer({ ...settings.mamba, rescaleLayers }, build);
    case "mamba2":
      return new Mamba2Mixer({ ...settings.mamba2, rescaleLayers }, build);
    case "mamba3":
      return new Mamba3Mixer({ ...settings.mamba3, rescaleLayers }, build);
    case "attention":
      return new AttentionMixer({ ...settings.attention, rescaleLayers }, build);
    case "mlp":
      return new MlpMixer(dModel, settings.mlp.hidden, build, rescaleLayers);
  }
}
