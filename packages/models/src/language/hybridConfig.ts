import { ArgumentError } from "@statespace/core";
import type { LanguageModelConfig, ModelConfig } from "../checkpoint/modelConfig.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mambaSchema, type MambaMixerConfig } from "../mixers/mamba/config.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import { mamba3Schema, type Mamba3MixerConfig } from "../mixers/mamba3/config.ts";
import { mlpSchema, type MlpMixerConfig } from "../mixers/mlp/config.ts";

/** The settings of each kind of layer that a hybrid may have. */
export interface HybridSettings {
  readonly mamba: MambaMixerConfig;
  readonly mamba2: Mamba2MixerConfig;
  readonly mamba3: Mamba3MixerConfig;
  readonly attention: AttentionMixerConfig;
  /** A gated MLP in a layer's place; `hidden` is its width. */
  readonly mlp: MlpMixerConfig;
}

/** What a layer of a hybrid is. */
export type LayerKind = keyof HybridSettings;

/** A language model whose layers are listed one by one, in any mixture. */
export interface HybridConfig extends LanguageModelConfig {
  readonly modelType: "hybrid";
  /** First to last, `nLayer` of them. */
  readonly layers: readonly LayerKind[];
  /** Layers of one kind share their settings. */
  readonly settings: HybridSettings;
}

/** Every config a language model can be made of: the published families, and own mixtures. */
export type LanguageConfig = ModelConfig | HybridConfig;

/** What `hybridConfig` needs to be told, and whatever else is to differ from its defaults. */
export interface HybridOptions extends Partial<
  Omit<LanguageModelConfig, "nLayer" | "dialect" | "attnLayers" | "attention">
> {
  readonly vocabSize: number;
  readonly dModel: number;
  readonly layers: readonly LayerKind[];
  readonly settings?: { readonly [K in LayerKind]?: Partial<HybridSettings[K]> };
}

/**
 * A hybrid's config from what differs from the defaults: `hybridConfig({ vocabSize, dModel, layers: ["mamba2", "attention", "mlp"] })`.
 * Defaults are those of the papers' small models; widths follow from dModel.
 * @throws ArgumentError for no layers, an unknown kind, or a dModel that heads do not divide.
 */
export function hybridConfig(options: HybridOptions): HybridConfig {
  const { layers, settings = {}, ...model } = options;
  const { dModel } = options;
  if (layers.length === 0) throw new ArgumentError("hybridConfig: needs at least one layer");
  const merged: HybridSettings = {
    mamba: mambaSchema.resolve(dModel, settings.mamba),
    mamba2: mamba2Schema.resolve(dModel, settings.mamba2),
    mamba3: mamba3Schema.resolve(dModel, settings.mamba3),
    attention: attentionSchema.resolve(dModel, settings.attention),
    mlp: mlpSchema.resolve(dModel, settings.mlp),
  };
  for (const kind of layers) {
    if (merged[kind] === undefined)
      throw new ArgumentError(
        `hybridConfig: there is no layer "${kind}" (there are ${Object.keys(merged).join(", ")})`,
      );
  }
  return {
    norm: "rms",
    normEps: 1e-5,
    residualInFp32: true,
    tieEmbeddings: true,
    bosTokenId: null,
    eosTokenIds: [],
    padTokenId: null,
    initializerRange: 0.02,
    rescalePrenormResidual: true,
    dIntermediate: 0,
    ...model,
    modelType: "hybrid",
    dialect: "mamba_ssm",
    nLayer: layers.length,
    attnLayers: [],
    attention: undefined,
    layers: [...layers],
    settings: merged,
  };
}
