import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { mlpSchema, type MlpConfig } from "../layers/mlpConfig.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { LayerSettings, ModelConfig, ResolvedMixer, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, readSsm, writeAttention, writeSsm } from "./hybrids.ts";
import {
  joinedNemotronExperts,
  nemotronMlpWeights,
  readNemotronMixture,
  readNemotronMlp,
  writeNemotronMlps,
} from "./nemotronMlps.ts";
import { expectNoExtras, formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "nemotron_h";
const DEFAULTS = {
  vocabSize: 131072,
  dModel: 4096,
  nLayer: 52,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: false,
  initializerRange: 0.02,
  eps: ["layer_norm_epsilon", 1e-5],
} as const;
const ssmNames = {
  expand: "expand",
  nHeads: "mamba_num_heads",
  headDim: "mamba_head_dim",
  nGroups: "n_groups",
  dState: "ssm_state_size",
  dConv: "conv_kernel",
  chunkSize: "chunk_size",
  useBias: "use_bias",
  useConvBias: "use_conv_bias",
  timeStepFloor: "time_step_floor",
};
const NO_BIASES = { useQkvBias: false, useOutBias: false } as const;
/** What a layer is: one mixer, an MLP or a mixture of them, in the words of transformers 5, those before, and the letters of the pattern. */
const KINDS: Readonly<Record<string, "mamba2" | "attention" | "mlp" | "moe">> = {
  linear_attention: "mamba2",
  mamba: "mamba2",
  M: "mamba2",
  full_attention: "attention",
  attention: "attention",
  "*": "attention",
  mlp: "mlp",
  "-": "mlp",
  moe: "moe",
  E: "moe",
};

type Kind = (typeof KINDS)[string];

/** The list of layers says how many there are. */
function readKinds(fields: ConfigFields, nLayer: number): readonly Kind[] {
  const pattern = fields.value("hybrid_override_pattern");
  const key = fields.has("layer_types") ? "layer_types" : "layers_block_type";
  if (typeof pattern !== "string" || fields.has(key))
    return fields.choices(key, Object.keys(KINDS), "mamba", nLayer).map((type) => KINDS[type]!);
  if (!/^[ME*-]{1,4096}$/.test(pattern))
    throw fields.error("hybrid_override_pattern", "must be of M, E, * and - alone");
  return [...pattern].map((letter) => KINDS[letter]!);
}

/**
 * Nemotron-H: one thing a layer, Mamba-2, attention (without positions) or an MLP with the square of relu (arXiv 2504.03624), or
 * a mixture of those.
 */
export const nemotronH: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "backbone.embeddings",
    "layers.*": "backbone.layers.*",
    ...attentionWeights("backbone.layers.*.mixer"),
    ...nemotronMlpWeights,
    norm_f: "backbone.norm_f",
    head: "lm_head",
  },
  alternatives: joinedNemotronExperts,
  leftOut: { "mtp.": "the heads that predict further tokens" },
  modules: { backbone: "model" },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const [nHeads, headDim] = [fields.integer("mamba_num_heads", 128), fields.integer("mamba_head_dim", 64)];
    const width = { dInner: nHeads * headDim, nHeads, headDim, nGroups: 8 };
    const ssm = readSsm(fields, dModel, { ...width, dState: 128, chunkSize: 128, mixerNormEps: normEps }, ssmNames);
    const [low, high] = ssm.timeStepLimit;
    // The first files call a head's width attention_head_dim.
    const attentionDefaults = { nHeadsKv: 8, headDim: fields.integer("attention_head_dim", 128), rotaryDim: 0 };
    fields.choice("mlp_hidden_act", ["relu2"], "relu2");
    const layers: Record<Kind, LayerSettings> = {
      mamba2: {
        kind: "mamba2",
        ...ssm,
        normGroupSize: ssm.dInner / ssm.nGroups,
        // transformers' own loops keep steps from falling below the least that a new model draws; mamba_ssm's kernels do not.
        timeStepLimit: [Math.max(low, ssm.timeStepMin), high],
      },
      // transformers gives its projections no biases, whatever the config says.
      attention: { kind: "attention", ...readAttention(fields, dModel, attentionDefaults), ...NO_BIASES },
      mlp: { kind: "mlp", ...mlpSchema.resolve(dModel, readNemotronMlp(fields)) },
      moe: { kind: "mlp", ...mlpSchema.resolve(dModel, readNemotronMixture(fields)) },
    };
    // transformers does not tie the head, whatever the config says: files have one.
    return {
      ...model,
      head: { ...model.head, tie: false },
      layers: readKinds(fields, nLayer).map((kind) => layers[kind]),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba2", "attention", "mlp"]);
    expectNoExtras(NAME, model);
    expressible(NAME, model.head.kind !== "language" || !model.head.tie, "head.tie", true);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    expressible(
      NAME,
      ssm === undefined || ssm.normGroupSize === ssm.dInner / ssm.nGroups,
      "normGroupSize",
      ssm?.normGroupSize,
    );
    expressible(NAME, !attention?.useQkvBias, "useQkvBias", attention?.useQkvBias);
    expressible(NAME, (attention?.rotaryDim ?? 0) === 0, "rotaryDim", attention?.rotaryDim);
    const { rope_parameters: _, ...written } = writeAttention(NAME, model);
    const names = { mamba2: "linear_attention", attention: "full_attention", mlp: "mlp" };
    const nameOf = ({ kind, config }: ResolvedMixer): string =>
      (config as Partial<MlpConfig>).experts ? "moe" : names[kind as keyof typeof names];
    return {
      ...writeShared(model, NAME, "NemotronHForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeSsm(NAME, model, ssmNames),
      ...written,
      layers_block_type: model.layers.map(({ mixers: [mixer] }) => nameOf(mixer!)),
      ...writeNemotronMlps(model),
      residual_in_fp32: model.residualInFp32,
      // See mamba.ts.
      rescale_prenorm_residual: false,
    };
  },
};
