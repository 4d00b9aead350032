import { FormatError } from "@statespace/core";
import type { ConfigFields } from "../config/fields.ts";
import type { LanguageModelConfig, Mamba2Config, MambaConfig, ModelConfig, TimeStepInit } from "./modelConfig.ts";
import { quote } from "@statespace/files";

type ModelType = "mamba" | "falcon_mamba" | "mamba2";
const MODEL_TYPES: readonly ModelType[] = ["mamba", "falcon_mamba", "mamba2"];

/**
 * `config.json` of Hugging Face transformers. Defaults are those of its configuration classes; keys it does not use are ignored, as it ignores them.
 * Errors: {@link FormatError} naming the key.
 */
export function parseTransformersConfig(fields: ConfigFields, modelType: string): ModelConfig {
  const known = MODEL_TYPES.find((type) => type === modelType);
  if (known === undefined)
    throw new FormatError(`config: model_type must be one of ${MODEL_TYPES.join(", ")}, got ${quote(modelType)}`);
  // swish is another name of silu; no published checkpoint of the family uses anything else, and the fused kernels have only this.
  fields.choice("hidden_act", ["silu", "swish"], "silu");
  return known === "mamba2" ? parseMamba2(fields) : parseMamba(fields, known);
}

interface FamilyDefaults {
  readonly vocabSize: number;
  readonly dModel: number;
  readonly nLayer: number;
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  readonly tie: boolean;
}

const MAMBA_DEFAULTS: FamilyDefaults = { vocabSize: 50280, dModel: 768, nLayer: 32, bos: 0, eos: 0, pad: 0, tie: true };
const MAMBA2_DEFAULTS: FamilyDefaults = {
  vocabSize: 32768,
  dModel: 4096,
  nLayer: 64,
  bos: 0,
  eos: 2,
  pad: 1,
  tie: false,
};

function parseShared(fields: ConfigFields, defaults: FamilyDefaults): LanguageModelConfig & TimeStepInit {
  const vocabSize = fields.integer("vocab_size", defaults.vocabSize);
  return {
    dialect: "transformers",
    vocabSize,
    dModel: fields.integer("hidden_size", defaults.dModel),
    nLayer: fields.integer("num_hidden_layers", defaults.nLayer, { max: 4096 }),
    norm: "rms",
    normEps: fields.number("layer_norm_epsilon", 1e-5, { min: 0, max: 1 }),
    residualInFp32: fields.boolean("residual_in_fp32", true),
    tieEmbeddings: fields.boolean("tie_word_embeddings", defaults.tie),
    bosTokenId: fields.tokenId("bos_token_id", idOrNull(defaults.bos, vocabSize), vocabSize),
    eosTokenIds: fields.tokenIds("eos_token_id", idOrNull(defaults.eos, vocabSize), vocabSize),
    padTokenId: fields.tokenId("pad_token_id", idOrNull(defaults.pad, vocabSize), vocabSize),
    initializerRange: fields.number("initializer_range", 0.1, { min: 0, max: 100 }),
    rescalePrenormResidual: fields.boolean("rescale_prenorm_residual", false),
    dIntermediate: 0,
    attnLayers: [],
    attention: undefined,
    ...parseTimeStep(fields),
  };
}

/** A default id that the vocabulary is too small for is no id. */
function idOrNull(id: number, vocabSize: number): number | null {
  return id < vocabSize ? id : null;
}

function parseTimeStep(fields: ConfigFields): TimeStepInit {
  const timeStepMin = fields.number("time_step_min", 0.001, { min: 0, above: true, max: 1e6 });
  const timeStepMax = fields.number("time_step_max", 0.1, { min: timeStepMin, max: 1e6 });
  return { timeStepMin, timeStepMax, timeStepFloor: fields.number("time_step_floor", 1e-4, { min: 0, max: 1e6 }) };
}

function parseMamba(fields: ConfigFields, modelType: "mamba" | "falcon_mamba"): MambaConfig {
  const shared = parseShared(fields, MAMBA_DEFAULTS);
  const expand = fields.number("expand", 2, { min: 0, above: true, max: 1024 });
  return {
    ...shared,
    modelType,
    dState: fields.integer("state_size", 16, { max: 65536 }),
    // transformers lets a written intermediate_size win: falcon-mamba-7b has expand 16 and an intermediate size of twice its width.
    dInner: fields.integer("intermediate_size", Math.floor(expand * shared.dModel)),
    dConv: fields.integer("conv_kernel", 4, { max: 256 }),
    dtRank: parseDtRank(fields, "time_step_rank", shared.dModel),
    useBias: fields.boolean("use_bias", false),
    useConvBias: fields.boolean("use_conv_bias", true),
    mixerNormEps: modelType === "falcon_mamba" ? fields.number("mixer_rms_eps", 1e-6, { min: 0, max: 1 }) : undefined,
    timeStepScale: fields.number("time_step_scale", 1, { min: 0, max: 1e6 }),
    timeStepInitScheme: fields.choice("time_step_init_scheme", ["random", "constant", "uniform"], "random"),
  };
}

/** Rank of the projection that makes delta: "auto" is dModel / 16, rounded up. */
export function parseDtRank(fields: ConfigFields, key: string, dModel: number): number {
  if (!fields.has(key) || fields.is(key, "auto")) return Math.ceil(dModel / 16);
  return fields.integer(key, undefined);
}

function parseMamba2(fields: ConfigFields): Mamba2Config {
  const shared = parseShared(fields, MAMBA2_DEFAULTS);
  const nHeads = fields.integer("num_heads", 128, { max: 65536 });
  const headDim = fields.integer("head_dim", 64, { max: 65536 });
  const nGroups = fields.integer("n_groups", 8, { max: 65536 });
  const dInner = Math.floor(fields.number("expand", 2, { min: 0, above: true, max: 1024 }) * shared.dModel);
  if (nHeads * headDim !== dInner)
    throw fields.error("num_heads", `times head_dim (${headDim}) must be expand * hidden_size = ${dInner}`);
  if (fields.has("intermediate_size") && fields.integer("intermediate_size", dInner) !== dInner) {
    throw fields.error("intermediate_size", `must be expand * hidden_size = ${dInner}`);
  }
  if (nHeads % nGroups !== 0) throw fields.error("n_groups", `must divide num_heads = ${nHeads}`);
  return {
    ...shared,
    modelType: "mamba2",
    dState: fields.integer("state_size", 128, { max: 65536 }),
    dInner,
    nHeads,
    headDim,
    nGroups,
    dConv: fields.integer("conv_kernel", 4, { max: 256 }),
    chunkSize: fields.integer("chunk_size", 256, { max: 65536 }),
    useBias: fields.boolean("use_bias", false),
    useConvBias: fields.boolean("use_conv_bias", true),
    // transformers' mixer always normalises, after the gate and over all of dInner, whatever rms_norm and norm_before_gate say.
    mixerNorm: true,
    mixerNormEps: shared.normEps,
    normBeforeGate: false,
    normGroupSize: dInner,
    timeStepLimit: fields.interval("time_step_limit", [0, Infinity], { min: 0 }),
    dHasHeadDim: false,
    aInitRange: [1, 16],
  };
}
