import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { mlpSchema, type MlpConfig, type MlpSettings } from "../layers/mlpConfig.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { LayerSettings, ModelConfig, ResolvedMixer, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, readSsm, writeAttention, writeSsm } from "./hybrids.ts";
import { expectMlp, readExpertsPerToken, sharedMlp } from "./mlps.ts";
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

/** MLPs with the square of relu; those of a mixture have no biases, what stands beside them has. */
function readMlp(fields: ConfigFields): MlpSettings {
  const useBias = fields.boolean("mlp_bias", false);
  return { hidden: fields.integer("intermediate_size", 21504), gated: false, activation: "relu2", useBias };
}

function readMixture(fields: ConfigFields): MlpSettings {
  const latent = fields.has("moe_latent_size") ? fields.integer("moe_latent_size", undefined) : 0;
  return {
    ...readMlp(fields),
    hidden: fields.integer("moe_intermediate_size", 7688),
    experts: fields.integer(fields.has("num_local_experts") ? "num_local_experts" : "n_routed_experts", 8),
    expertsPerToken: readExpertsPerToken(fields, 2),
    router: "sigmoid",
    routerBias: true,
    routerGroups: fields.integer("n_group", 1),
    routerGroupsPerToken: fields.integer("topk_group", 1),
    renormalize: fields.boolean("norm_topk_prob", true),
    renormalizeEps: 1e-20,
    routedScale: fields.number("routed_scaling_factor", 1),
    latent,
    sharedHidden: fields.integer("moe_shared_expert_intermediate_size", 7688),
  };
}

function writeMlps(model: ResolvedModel): JsonObject {
  const [mlp, moe] = [sharedMlp(NAME, model, false), sharedMlp(NAME, model, true)];
  const useBias = (moe ?? mlp)?.useBias ?? false;
  const plain = { gated: false, activation: "relu2", useBias } as const;
  expectMlp(NAME, mlp, { ...plain, hidden: mlp?.hidden });
  const written = { intermediate_size: mlp?.hidden ?? 1, mlp_bias: useBias, mlp_hidden_act: "relu2" };
  if (moe === undefined) return written;
  const { hidden, experts, expertsPerToken, routerGroups, routerGroupsPerToken, renormalize, routedScale } = moe;
  const { latent, sharedHidden } = moe;
  expressible(NAME, sharedHidden > 0, "sharedHidden", sharedHidden);
  const router = { router: "sigmoid", routerBias: true, routerGroups, routerGroupsPerToken, routedScale } as const;
  const own = { ...router, renormalize, renormalizeEps: 1e-20, hidden, experts, expertsPerToken, latent, sharedHidden };
  expectMlp(NAME, moe, { ...plain, ...own });
  return {
    ...written,
    moe_intermediate_size: hidden,
    n_routed_experts: experts,
    num_experts_per_tok: expertsPerToken,
    n_group: routerGroups,
    topk_group: routerGroupsPerToken,
    norm_topk_prob: renormalize,
    routed_scaling_factor: routedScale,
    ...(latent > 0 ? { moe_latent_size: latent } : {}),
    moe_shared_expert_intermediate_size: sharedHidden,
  };
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
    "layers.*.mlp.fc1": "backbone.layers.*.mixer.up_proj",
    "layers.*.mlp.fc2": "backbone.layers.*.mixer.down_proj",
    "layers.*.mlp.router.weight": "backbone.layers.*.mixer.gate.weight",
    "layers.*.mlp.router.correction": "backbone.layers.*.mixer.gate.e_score_correction_bias",
    "layers.*.mlp.experts.fc1.weight": { "backbone.layers.*.mixer.experts.#.up_proj.weight": ["up"] },
    "layers.*.mlp.experts.fc2.weight": { "backbone.layers.*.mixer.experts.#.down_proj.weight": ["down"] },
    "layers.*.mlp.latent.fc1": "backbone.layers.*.mixer.fc1_latent_proj",
    "layers.*.mlp.latent.fc2": "backbone.layers.*.mixer.fc2_latent_proj",
    "layers.*.mlp.shared.fc1": "backbone.layers.*.mixer.shared_experts.up_proj",
    "layers.*.mlp.shared.fc2": "backbone.layers.*.mixer.shared_experts.down_proj",
    norm_f: "backbone.norm_f",
    head: "lm_head",
  },
  alternatives: {
    "layers.*.mlp.experts.fc1.weight": { "backbone.layers.*.mixer.experts.up_proj": ["up"] },
    "layers.*.mlp.experts.fc2.weight": { "backbone.layers.*.mixer.experts.down_proj": ["down"] },
  },
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
      attention: { kind: "attention", ...readAttention(fields, dModel, attentionDefaults) },
      mlp: { kind: "mlp", ...mlpSchema.resolve(dModel, readMlp(fields)) },
      moe: { kind: "mlp", ...mlpSchema.resolve(dModel, readMixture(fields)) },
    };
    return { ...model, layers: readKinds(fields, nLayer).map((kind) => layers[kind]) };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba2", "attention", "mlp"]);
    expectNoExtras(NAME, model);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    expressible(
      NAME,
      ssm === undefined || ssm.normGroupSize === ssm.dInner / ssm.nGroups,
      "normGroupSize",
      ssm?.normGroupSize,
    );
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
      ...writeMlps(model),
      residual_in_fp32: model.residualInFp32,
      // See mamba.ts.
      rescale_prenorm_residual: false,
    };
  },
};
