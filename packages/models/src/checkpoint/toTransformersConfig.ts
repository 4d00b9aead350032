import { ArgumentError } from "@statespace/core";
import type { Mamba2Config, MambaConfig, ModelConfig } from "./modelConfig.ts";
import type { FloatStorage } from "@statespace/files";
import type { JsonObject, JsonValue } from "@statespace/files";

const DTYPE_NAMES: Record<FloatStorage, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };
const ARCHITECTURES = {
  mamba: "MambaForCausalLM",
  falcon_mamba: "FalconMambaForCausalLM",
  mamba2: "Mamba2ForCausalLM",
};

/**
 * The `config.json` with which Hugging Face transformers loads the model, whatever dialect it came from. `dtype` is how the weights are stored.
 * Errors: {@link ArgumentError} naming the setting, if transformers has no model that computes the same.
 */
export function toTransformersConfig(config: ModelConfig, dtype: FloatStorage = "F32"): JsonObject {
  if (config.modelType === "mamba3") throw new ArgumentError("toTransformersConfig: transformers has no mamba3");
  require(config.norm === "rms", "norm", config.norm);
  require(config.attnLayers.length === 0, "attnLayers", config.attnLayers);
  require(config.dIntermediate === 0, "dIntermediate", config.dIntermediate);
  const [eos] = config.eosTokenIds;
  return {
    architectures: [ARCHITECTURES[config.modelType]],
    model_type: config.modelType,
    dtype: DTYPE_NAMES[dtype],
    vocab_size: config.vocabSize,
    hidden_size: config.dModel,
    num_hidden_layers: config.nLayer,
    state_size: config.dState,
    conv_kernel: config.dConv,
    hidden_act: "silu",
    use_bias: config.useBias,
    use_conv_bias: config.useConvBias,
    layer_norm_epsilon: config.normEps,
    residual_in_fp32: config.residualInFp32,
    tie_word_embeddings: config.tieEmbeddings,
    initializer_range: config.initializerRange,
    // Says how weights start. Saved weights are past that, and transformers 5 divides what it has just loaded where this is true.
    rescale_prenorm_residual: false,
    time_step_min: config.timeStepMin,
    time_step_max: config.timeStepMax,
    time_step_floor: config.timeStepFloor,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenIds.length > 1 ? [...config.eosTokenIds] : (eos ?? null),
    pad_token_id: config.padTokenId,
    use_cache: true,
    ...(config.modelType === "mamba2" ? mamba2Fields(config) : mambaFields(config)),
  };
}

function mambaFields(config: MambaConfig): JsonObject {
  return {
    // Beside intermediate_size, which wins, expand only has to be a whole number.
    expand: Math.max(1, Math.round(config.dInner / config.dModel)),
    intermediate_size: config.dInner,
    time_step_rank: config.dtRank,
    time_step_scale: config.timeStepScale,
    time_step_init_scheme: config.timeStepInitScheme,
    ...(config.mixerNormEps === undefined ? {} : { mixer_rms_eps: config.mixerNormEps }),
  };
}

function mamba2Fields(config: Mamba2Config): JsonObject {
  const expand = config.dInner / config.dModel;
  require(Number.isInteger(expand), "dInner", config.dInner);
  require(config.mixerNorm, "mixerNorm", config.mixerNorm);
  require(!config.normBeforeGate, "normBeforeGate", config.normBeforeGate);
  require(config.normGroupSize === config.dInner, "normGroupSize", config.normGroupSize);
  require(config.mixerNormEps === config.normEps, "mixerNormEps", config.mixerNormEps);
  require(!config.dHasHeadDim, "dHasHeadDim", config.dHasHeadDim);
  return {
    expand,
    num_heads: config.nHeads,
    head_dim: config.headDim,
    n_groups: config.nGroups,
    chunk_size: config.chunkSize,
    rms_norm: true,
    time_step_limit: config.timeStepLimit.map((bound): JsonValue =>
      bound === Infinity ? { __float__: "Infinity" } : bound,
    ),
  };
}

function require(ok: boolean, setting: string, got: unknown): void {
  if (!ok)
    throw new ArgumentError(`toTransformersConfig: transformers cannot express ${setting} = ${JSON.stringify(got)}`);
}
