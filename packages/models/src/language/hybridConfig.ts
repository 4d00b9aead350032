import { ArgumentError } from "@statespace/core";
import type { AttentionMixerConfig } from "../attention/block.ts";
import type { LanguageModelConfig, ModelConfig } from "../checkpoint/modelConfig.ts";
import type { MambaMixerConfig } from "../mamba/block.ts";
import type { Mamba2MixerConfig } from "../mamba2/block.ts";
import type { Mamba3MixerConfig } from "../mamba3/block.ts";

/** The settings of each kind of layer that a hybrid may have. */
export interface HybridSettings {
  readonly mamba: MambaMixerConfig;
  readonly mamba2: Mamba2MixerConfig;
  readonly mamba3: Mamba3MixerConfig;
  readonly attention: AttentionMixerConfig;
  /** A gated MLP in a layer's place; `hidden` is its width. */
  readonly mlp: { readonly hidden: number };
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

/** Channels of a head, where the model is wide enough for it. */
const HEAD_DIM = 64;

/**
 * A hybrid's config from what differs from the defaults: `hybridConfig({ vocabSize, dModel, layers: ["mamba2", "attention", "mlp"] })`.
 * Defaults are those of the papers' small models; widths follow from dModel.
 * @throws ArgumentError for no layers, an unknown kind, or a dModel that heads do not divide.
 */
export function hybridConfig(options: HybridOptions): HybridConfig {
  const { layers, settings = {}, ...model } = options;
  const defaults = defaultSettings(options.dModel, settings.mamba3?.dState);
  if (layers.length === 0) throw new ArgumentError("hybridConfig: needs at least one layer");
  for (const kind of layers) {
    if (defaults[kind] === undefined)
      throw new ArgumentError(
        `hybridConfig: there is no layer "${kind}" (there are ${Object.keys(defaults).join(", ")})`,
      );
  }
  const merged = Object.fromEntries(
    Object.entries(defaults).map(([kind, value]) => [kind, { ...value, ...settings[kind as LayerKind] }]),
  ) as unknown as HybridSettings;
  checkHeads("mamba2", merged.mamba2, layers);
  checkHeads("mamba3", merged.mamba3, layers);
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

function checkHeads(
  kind: LayerKind,
  { nHeads, headDim, dInner, nGroups }: Pick<Mamba2MixerConfig, "nHeads" | "headDim" | "dInner" | "nGroups">,
  layers: readonly LayerKind[],
): void {
  if (!layers.includes(kind)) return;
  if (nHeads * headDim !== dInner)
    throw new ArgumentError(
      `hybridConfig: ${kind}: nHeads * headDim must be dInner = ${dInner}, got ${nHeads} * ${headDim}`,
    );
  if (nHeads % nGroups !== 0)
    throw new ArgumentError(`hybridConfig: ${kind}: nGroups must divide nHeads = ${nHeads}, got ${nGroups}`);
}

/** Half of the state turns, two numbers an angle, as in the published Mamba-3 models. */
function anglesOf(dState: number): number {
  return Math.max(1, Math.floor(dState / 4));
}

/** The largest power of two up to HEAD_DIM that divides a width. */
function headDimOf(width: number): number {
  let dim = HEAD_DIM;
  while (width % dim !== 0) dim /= 2;
  return dim;
}

function defaultSettings(dModel: number, mamba3State = 64): HybridSettings {
  const dInner = 2 * dModel;
  const steps = { timeStepMin: 0.001, timeStepMax: 0.1, timeStepFloor: 1e-4 };
  const headDim = headDimOf(dInner);
  const heads = { nHeads: dInner / headDim, headDim, nGroups: 1 };
  const attentionDim = headDimOf(dModel);
  return {
    mamba: {
      dModel,
      dInner,
      dState: 16,
      dConv: 4,
      dtRank: Math.ceil(dModel / 16),
      useBias: false,
      useConvBias: true,
      mixerNormEps: undefined,
      timeStepScale: 1,
      timeStepInitScheme: "random",
      ...steps,
    },
    mamba2: {
      dModel,
      dInner,
      dState: 64,
      ...heads,
      dConv: 4,
      chunkSize: 128,
      useBias: false,
      useConvBias: true,
      mixerNorm: true,
      mixerNormEps: 1e-5,
      normBeforeGate: false,
      normGroupSize: dInner,
      timeStepLimit: [0, Infinity],
      dHasHeadDim: false,
      aInitRange: [1, 16],
      ...steps,
    },
    mamba3: {
      dModel,
      dInner,
      dState: 64,
      ...heads,
      chunkSize: 64,
      mimo: false,
      mimoRank: 1,
      nRopeAngles: anglesOf(mamba3State),
      aFloor: 1e-4,
      aActivation: "heavyTail",
      outProjNorm: false,
      ...steps,
    },
    attention: {
      dModel,
      nHeads: dModel / attentionDim,
      nHeadsKv: dModel / attentionDim,
      headDim: attentionDim,
      useQkvBias: false,
      useOutBias: false,
      softmaxScale: attentionDim ** -0.5,
      causal: true,
      dConv: 0,
      rotaryDim: attentionDim - (attentionDim % 2),
      rotaryBase: 10000,
      rotaryInterleaved: false,
      mlpDim: 0,
    },
    mlp: { hidden: Math.ceil((8 * dModel) / 3) },
  };
}
