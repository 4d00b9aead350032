/**
 * What a checkpoint's `config.json` says, in one vocabulary for both dialects.
 * Sizes count elements; `b l d n h p g` of the comments are the symbols of the glossary.
 */
export type ModelConfig = MambaConfig | Mamba2Config | Mamba3Config;

/** Whose files these are: Hugging Face transformers, or the `mamba_ssm` package of the papers' authors. */
export type ConfigDialect = "transformers" | "mamba_ssm";

/** What every language model of the family has. */
export interface LanguageModelConfig {
  readonly dialect: ConfigDialect;
  /** Rows of the embedding; padded up where the dialect pads. */
  readonly vocabSize: number;
  readonly dModel: number;
  readonly nLayer: number;
  /** `layer` is LayerNorm with a bias (mamba_ssm with `rms_norm: false`). */
  readonly norm: "rms" | "layer";
  readonly normEps: number;
  readonly residualInFp32: boolean;
  readonly tieEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  /** Standard deviation of a new embedding (and, in transformers, of every linear layer). */
  readonly initializerRange: number;
  readonly rescalePrenormResidual: boolean;
  /** Width of the gated MLP after each mixer; 0 for none. */
  readonly dIntermediate: number;
  /** Layers whose mixer is attention. */
  readonly attnLayers: readonly number[];
  readonly attention: AttentionConfig | undefined;
}

/** The range from which a new model draws its steps delta, log-uniformly. */
export interface TimeStepInit {
  readonly timeStepMin: number;
  readonly timeStepMax: number;
  readonly timeStepFloor: number;
}

/** Mamba (arXiv 2312.00752) and FalconMamba, which normalises B, C and delta. */
export interface MambaConfig extends LanguageModelConfig, TimeStepInit {
  readonly modelType: "mamba" | "falcon_mamba";
  readonly dState: number; // n
  readonly dInner: number; // d
  readonly dConv: number;
  readonly dtRank: number;
  /** Bias of inProj and outProj. */
  readonly useBias: boolean;
  readonly useConvBias: boolean;
  /** Epsilon of the weightless RMS norms on B, C and delta; only in falcon_mamba. */
  readonly mixerNormEps: number | undefined;
  readonly timeStepScale: number;
  readonly timeStepInitScheme: "random" | "constant" | "uniform";
}

/** Mamba-2 (arXiv 2405.21060). */
export interface Mamba2Config extends LanguageModelConfig, TimeStepInit {
  readonly modelType: "mamba2";
  readonly dState: number; // n
  readonly dInner: number; // h * p
  readonly nHeads: number; // h
  readonly headDim: number; // p
  readonly nGroups: number; // g
  readonly dConv: number;
  readonly chunkSize: number;
  readonly useBias: boolean;
  readonly useConvBias: boolean;
  /** Gated RMS norm before outProj. */
  readonly mixerNorm: boolean;
  readonly mixerNormEps: number;
  readonly normBeforeGate: boolean;
  /** Elements normalised together: dInner in transformers, dInner / nGroups in mamba_ssm. */
  readonly normGroupSize: number;
  /** Bounds on delta after softplus. */
  readonly timeStepLimit: readonly [number, number];
  /** D has one entry a channel, not a head. */
  readonly dHasHeadDim: boolean;
  /** A of a new model is uniform in this range. */
  readonly aInitRange: readonly [number, number];
}

/** Mamba-3 (arXiv 2603.15569). */
export interface Mamba3Config extends LanguageModelConfig, TimeStepInit {
  readonly modelType: "mamba3";
  readonly dState: number; // n
  readonly dInner: number; // h * p
  readonly nHeads: number; // h
  readonly headDim: number; // p
  readonly nGroups: number; // g
  readonly chunkSize: number;
  readonly mimo: boolean;
  /** 1 unless `mimo`. */
  readonly mimoRank: number;
  readonly ropeFraction: 0.5 | 1;
  /** Angles a token, shared by the heads. */
  readonly nRopeAngles: number;
  /** A is at most minus this. */
  readonly aFloor: number;
  /** `softplus` in the first release, `heavyTail` (1 + x, or 1 / (1 - x) below 0) since; the files do not say which one trained them. */
  readonly aActivation: "softplus" | "heavyTail";
  /** Gated RMS norm over each head before outProj. */
  readonly outProjNorm: boolean;
}

/** Causal attention of mamba_ssm's hybrid models. */
export interface AttentionConfig {
  readonly nHeads: number;
  readonly nHeadsKv: number;
  readonly headDim: number;
  readonly useQkvBias: boolean;
  readonly useOutBias: boolean;
  /** 1 / sqrt(headDim) unless told. */
  readonly softmaxScale: number;
  readonly causal: boolean;
  /** Width of the convolution over q, k and v; 0 for none. */
  readonly dConv: number;
  readonly rotaryDim: number;
  readonly rotaryBase: number;
  readonly rotaryInterleaved: boolean;
  /** Width of the gated MLP that shares the projections; 0 for none. */
  readonly mlpDim: number;
}
