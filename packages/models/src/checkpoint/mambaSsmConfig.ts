import type { ConfigFields } from "../config/fields.ts";
import type {
  AttentionConfig,
  LanguageModelConfig,
  Mamba2Config,
  Mamba3Config,
  MambaConfig,
  ModelConfig,
  TimeStepInit,
} from "./modelConfig.ts";
import { parseDtRank } from "./transformersConfig.ts";

/** What a config of the mamba_ssm package leaves open. */
export interface MambaSsmOptions {
  /** Activation of A in Mamba-3 models, which their files do not name; the heavy-tail one, that of the current official source, unless told. */
  readonly aActivation?: Mamba3Config["aActivation"];
}

/** mamba_ssm fixes the epsilon of every norm. */
const NORM_EPS = 1e-5;

/**
 * `config.json` of the mamba_ssm package: the model's fields, and the mixer's keyword arguments in `ssm_cfg`.
 * Errors: {@link FormatError} naming the key; an unknown one too, since the mixer's constructor refuses it.
 */
export function parseMambaSsmConfig(fields: ConfigFields, options: MambaSsmOptions): ModelConfig {
  const ssm = fields.object("ssm_cfg");
  const layer = ssm.choice("layer", ["Mamba1", "Mamba2", "Mamba3"], "Mamba1");
  ssm.ignore("layer_idx", "use_fast_path", "use_mem_eff_path", "process_group", "sequence_parallel", "device", "dtype");
  const model = parseModel(fields);
  const parse = { Mamba1: parseMamba1, Mamba2: parseMamba2, Mamba3: parseMamba3 }[layer];
  const config = parse(ssm, model, options);
  ssm.rejectUnknown();
  return config;
}

function parseModel(fields: ConfigFields): LanguageModelConfig {
  const multiple = fields.integer("pad_vocab_size_multiple", 8, { max: 65536 });
  const vocabSize = Math.ceil(fields.integer("vocab_size", 50277) / multiple) * multiple;
  const dModel = fields.integer("d_model", 2560);
  const nLayer = fields.integer("n_layer", 64, { max: 4096 });
  fields.boolean("fused_add_norm", true); // how it is computed, not what
  const attnLayers = fields.integers("attn_layer_idx", [], { max: nLayer - 1 });
  const dIntermediate = fields.integer("d_intermediate", 0, { min: 0 });
  const attnFields = fields.object("attn_cfg");
  return {
    dialect: "mamba_ssm",
    vocabSize,
    dModel,
    nLayer,
    norm: fields.boolean("rms_norm", true) ? "rms" : "layer",
    normEps: NORM_EPS,
    residualInFp32: fields.boolean("residual_in_fp32", true),
    tieEmbeddings: fields.boolean("tie_embeddings", true),
    // The dialect leaves token ids to the tokenizer.
    bosTokenId: fields.tokenId("bos_token_id", null, vocabSize),
    eosTokenIds: fields.tokenIds("eos_token_id", null, vocabSize),
    padTokenId: fields.tokenId("pad_token_id", null, vocabSize),
    initializerRange: 0.02,
    rescalePrenormResidual: true,
    // The gated MLP pads its width to a multiple of 128.
    dIntermediate: Math.ceil(dIntermediate / 128) * 128,
    attnLayers: [...new Set(attnLayers)].sort((a, b) => a - b),
    attention: attnLayers.length === 0 ? undefined : parseAttention(attnFields, dModel),
  };
}

function parseAttention(fields: ConfigFields, dModel: number): AttentionConfig {
  const nHeads = fields.integer("num_heads", undefined, { max: 65536 });
  const nHeadsKv = fields.integer("num_heads_kv", nHeads, { max: 65536 });
  if (nHeads % nHeadsKv !== 0) throw fields.error("num_heads_kv", `must divide num_heads = ${nHeads}`);
  if (!fields.has("head_dim") && dModel % nHeads !== 0)
    throw fields.error("num_heads", `must divide d_model = ${dModel}`);
  const headDim = fields.integer("head_dim", dModel / nHeads, { max: 65536 });
  const config: AttentionConfig = {
    nHeads,
    nHeadsKv,
    headDim,
    useQkvBias: fields.boolean("qkv_proj_bias", true),
    useOutBias: fields.boolean("out_proj_bias", true),
    softmaxScale: fields.number("softmax_scale", headDim ** -0.5, { min: 0, max: 1e6 }),
    causal: fields.boolean("causal", false),
    dConv: fields.integer("d_conv", 0, { min: 0, max: 256 }),
    rotaryDim: fields.integer("rotary_emb_dim", 0, { min: 0, max: headDim }),
    rotaryBase: fields.number("rotary_emb_base", 10000, { min: 0, above: true, max: 1e12 }),
    rotaryInterleaved: fields.boolean("rotary_emb_interleaved", false),
    mlpDim: Math.ceil(fields.integer("mlp_dim", 0, { min: 0 }) / 256) * 256,
  };
  fields.ignore("layer_idx", "device", "dtype");
  fields.rejectUnknown();
  return config;
}

function parseTimeStep(ssm: ConfigFields): TimeStepInit {
  const timeStepMin = ssm.number("dt_min", 0.001, { min: 0, above: true, max: 1e6 });
  const timeStepMax = ssm.number("dt_max", 0.1, { min: timeStepMin, max: 1e6 });
  return { timeStepMin, timeStepMax, timeStepFloor: ssm.number("dt_init_floor", 1e-4, { min: 0, max: 1e6 }) };
}

function parseExpand(ssm: ConfigFields, dModel: number): number {
  const dInner = Math.floor(ssm.number("expand", 2, { min: 0, above: true, max: 1024 }) * dModel);
  if (dInner < 1) throw ssm.error("expand", "must leave at least one channel");
  return dInner;
}

function parseMamba1(ssm: ConfigFields, model: LanguageModelConfig): MambaConfig {
  return {
    ...model,
    modelType: "mamba",
    dState: ssm.integer("d_state", 16, { max: 65536 }),
    dInner: parseExpand(ssm, model.dModel),
    dConv: ssm.integer("d_conv", 4, { max: 256 }),
    dtRank: parseDtRank(ssm, "dt_rank", model.dModel),
    useBias: ssm.boolean("bias", false),
    useConvBias: ssm.boolean("conv_bias", true),
    mixerNormEps: undefined,
    ...parseTimeStep(ssm),
    timeStepScale: ssm.number("dt_scale", 1, { min: 0, max: 1e6 }),
    timeStepInitScheme: ssm.choice("dt_init", ["random", "constant"], "random"),
  };
}

/** Heads and groups of Mamba-2 and -3. */
function parseHeads(ssm: ConfigFields, dInner: number): { headDim: number; nHeads: number; nGroups: number } {
  const headDim = ssm.integer("headdim", 64, { max: 65536 });
  if (dInner % headDim !== 0) throw ssm.error("headdim", `must divide expand * d_model = ${dInner}`);
  const nHeads = dInner / headDim;
  const nGroups = ssm.integer("ngroups", 1, { max: 65536 });
  if (nHeads % nGroups !== 0) throw ssm.error("ngroups", `must divide the number of heads = ${nHeads}`);
  return { headDim, nHeads, nGroups };
}

function parseMamba2(ssm: ConfigFields, model: LanguageModelConfig): Mamba2Config {
  const dInner = parseExpand(ssm, model.dModel);
  const heads = parseHeads(ssm, dInner);
  if (ssm.has("d_ssm") && !ssm.is("d_ssm", dInner))
    throw ssm.error("d_ssm", `must be expand * d_model = ${dInner} (a gated MLP beside the SSM is not supported)`);
  ssm.ignore("conv_init");
  return {
    ...model,
    ...heads,
    modelType: "mamba2",
    dState: ssm.integer("d_state", 128, { max: 65536 }),
    dInner,
    dConv: ssm.integer("d_conv", 4, { max: 256 }),
    chunkSize: ssm.integer("chunk_size", 256, { max: 65536 }),
    useBias: ssm.boolean("bias", false),
    useConvBias: ssm.boolean("conv_bias", true),
    mixerNorm: ssm.boolean("rmsnorm", true),
    mixerNormEps: NORM_EPS,
    normBeforeGate: ssm.boolean("norm_before_gate", false),
    normGroupSize: dInner / heads.nGroups,
    ...parseTimeStep(ssm),
    timeStepLimit: ssm.interval("dt_limit", [0, Infinity], { min: 0 }),
    dHasHeadDim: ssm.boolean("D_has_hdim", false),
    aInitRange: ssm.interval("A_init_range", [1, 16], { min: 1e-30, max: 1e30 }),
  };
}

function parseMamba3(ssm: ConfigFields, model: LanguageModelConfig, options: MambaSsmOptions): Mamba3Config {
  const dInner = parseExpand(ssm, model.dModel);
  const heads = parseHeads(ssm, dInner);
  const dState = ssm.integer("d_state", 128, { max: 65536 });
  const ropeFraction = ssm.number("rope_fraction", 0.5);
  if (ropeFraction !== 0.5 && ropeFraction !== 1) throw ssm.error("rope_fraction", "must be 0.5 or 1");
  const nRopeAngles = Math.floor((dState * ropeFraction) / 2);
  if (nRopeAngles < 1) throw ssm.error("d_state", "must leave at least one rotation angle");
  const mimo = ssm.boolean("is_mimo", false);
  const mimoRank = ssm.integer("mimo_rank", 4, { max: 4096 });
  ssm.ignore("fuse_pregate_headwise_norm", "dropout", "n_layer"); // how it is computed, or absorbed unused
  return {
    ...model,
    ...heads,
    modelType: "mamba3",
    dState,
    dInner,
    chunkSize: ssm.integer("chunk_size", 64, { max: 65536 }),
    mimo,
    mimoRank: mimo ? mimoRank : 1,
    ropeFraction,
    nRopeAngles,
    aFloor: ssm.number("A_floor", 1e-4, { min: 0, max: 1e6 }),
    aActivation: options.aActivation ?? "heavyTail",
    outProjNorm: ssm.boolean("is_outproj_norm", false),
    ...parseTimeStep(ssm),
  };
}
