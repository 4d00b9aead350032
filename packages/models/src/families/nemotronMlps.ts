import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MlpSettings } from "../layers/mlpConfig.ts";
import type { ResolvedModel } from "../model/config.ts";
import { expressible } from "./family.ts";
import { expectMlp, readExpertsPerToken, sharedMlp } from "./mlps.ts";
import type { WeightRules } from "./weightNames.ts";

const NAME = "nemotron_h";
/** What transformers adds to the sum by which it divides. */
const RENORMALIZE_EPS = 1e-20;

/** Names of the weights of its MLPs and mixtures. */
export const nemotronMlpWeights: WeightRules = {
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
};
/** The same where all experts are in one tensor. */
export const joinedNemotronExperts: WeightRules = {
  "layers.*.mlp.experts.fc1.weight": { "backbone.layers.*.mixer.experts.up_proj": ["up"] },
  "layers.*.mlp.experts.fc2.weight": { "backbone.layers.*.mixer.experts.down_proj": ["down"] },
};

/** MLPs with the square of relu; those of a mixture have no biases, what stands beside them has. */
export function readNemotronMlp(fields: ConfigFields): MlpSettings {
  const useBias = fields.boolean("mlp_bias", false);
  return { hidden: fields.integer("intermediate_size", 21504), gated: false, activation: "relu2", useBias };
}

/** Experts chosen by sigmoids and a correction, of a few of their groups; an MLP for all beside them. */
export function readNemotronMixture(fields: ConfigFields): MlpSettings {
  const latent = fields.has("moe_latent_size") ? fields.integer("moe_latent_size", undefined) : 0;
  return {
    ...readNemotronMlp(fields),
    hidden: fields.integer("moe_intermediate_size", 7688),
    experts: fields.integer(fields.has("num_local_experts") ? "num_local_experts" : "n_routed_experts", 8),
    expertsPerToken: readExpertsPerToken(fields, 2),
    router: "sigmoid",
    routerBias: true,
    routerGroups: fields.integer("n_group", 1),
    routerGroupsPerToken: fields.integer("topk_group", 1),
    renormalize: fields.boolean("norm_topk_prob", true),
    renormalizeEps: RENORMALIZE_EPS,
    routedScale: fields.number("routed_scaling_factor", 1),
    latent,
    sharedHidden: fields.integer("moe_shared_expert_intermediate_size", 7688),
  };
}

/** Inverse of both. @throws ArgumentError for what such a config cannot say. */
export function writeNemotronMlps(model: ResolvedModel): JsonObject {
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
  const own = {
    ...router,
    renormalize,
    renormalizeEps: RENORMALIZE_EPS,
    hidden,
    experts,
    expertsPerToken,
    latent,
    sharedHidden,
  };
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
