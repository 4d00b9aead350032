import { FormatError } from "@statespace/core";
import type { ModelConfig } from "../checkpoint/modelConfig.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { MambaMixer } from "../mamba/block.ts";
import { Mamba2Mixer } from "../mamba2/block.ts";
import { Mamba3Mixer } from "../mamba3/block.ts";

/** The mixer of one layer of a language model, as its config names it. @throws FormatError for a kind this version has not. */
export function makeMixer(config: ModelConfig, layer: number, build: ParameterBuilder): Mixer {
  if (config.attention !== undefined && config.attnLayers.includes(layer)) {
    throw new FormatError(`config.json: layer ${layer} is attention, which this version does not run`);
  }
  const rescaleLayers = config.rescalePrenormResidual ? config.nLayer : 0;
  if (config.modelType === "mamba" || config.modelType === "falcon_mamba") {
    return new MambaMixer({ ...config, rescaleLayers }, build);
  }
  if (config.modelType === "mamba2") return new Mamba2Mixer({ ...config, rescaleLayers }, build);
  if (config.modelType === "mamba3") return new Mamba3Mixer({ ...config, rescaleLayers }, build);
  throw new FormatError(`config.json: model_type "${config.modelType}" is not one that this version runs`);
}
