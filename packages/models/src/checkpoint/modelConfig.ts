import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { MambaMixerConfig } from "../mixers/mamba/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { Mamba3MixerConfig } from "../mixers/mamba3/config.ts";

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

/** Mamba (arXiv 2312.00752) and FalconMamba, which normalises B, C and delta. */
export type MambaConfig = LanguageModelConfig & MambaMixerConfig & { readonly modelType: "mamba" | "falcon_mamba" };

/** Mamba-2 (arXiv 2405.21060). */
export type Mamba2Config = LanguageModelConfig & Mamba2MixerConfig & { readonly modelType: "mamba2" };

/** Mamba-3 (arXiv 2603.15569). */
export type Mamba3Config = LanguageModelConfig & Mamba3MixerConfig & { readonly modelType: "mamba3" };

/** Causal attention of mamba_ssm's hybrid models. */
export type AttentionConfig = Omit<AttentionMixerConfig, "dModel">;

/** The range from which a new model draws its steps delta, log-uniformly. */
export type TimeStepInit = Pick<MambaMixerConfig, "timeStepMin" | "timeStepMax" | "timeStepFloor">;
