import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MlpConfig, MlpSettings } from "../layers/mlpConfig.ts";
import { expressible } from "./family.ts";
import { expectMlp, expertWeights, joinedExpertWeights, mlpWeights, readExpertsPerToken } from "./mlps.ts";
import type { WeightRules } from "./weightNames.ts";

/** Names of the weights of Qwen's mixtures: experts for a token, one for all, which is gated. */
export function qwenExpertWeights(root: string): WeightRules {
  const mlp = `${root}.layers.*.mlp`;
  return {
    "layers.*.mlp.router": `${mlp}.gate`,
    ...expertWeights(`${mlp}.experts`),
    ...mlpWeights(`${mlp}.shared_expert`, "layers.*.mlp.shared"),
    "layers.*.mlp.shared.gate": `${mlp}.shared_expert_gate`,
  };
}

/** The same, all experts in one tensor. */
export function joinedQwenExperts(root: string): WeightRules {
  return joinedExpertWeights(`${root}.layers.*.mlp.experts`);
}

/** Settings of such a mixture. */
export function readQwenMixture(
  fields: ConfigFields,
  standard: { readonly experts: number; readonly expertsPerToken: number },
): MlpSettings {
  return {
    hidden: fields.integer("moe_intermediate_size", 512),
    experts: fields.integer("num_experts", standard.experts),
    expertsPerToken: readExpertsPerToken(fields, standard.expertsPerToken),
    sharedHidden: fields.integer("shared_expert_intermediate_size", 512),
    sharedGate: true,
  };
}

/** Inverse of `readQwenMixture`. @throws ArgumentError for what it cannot say. @param renormalize whether weights add up to 1, where the family may say so */
export function writeQwenMixture(family: string, mixture: MlpConfig, renormalize = true): JsonObject {
  const { hidden, experts, expertsPerToken, sharedHidden } = mixture;
  expressible(family, sharedHidden > 0, "sharedHidden", sharedHidden);
  expectMlp(family, mixture, { hidden, experts, expertsPerToken, renormalize, sharedHidden, sharedGate: true });
  return {
    num_experts: experts,
    num_experts_per_tok: expertsPerToken,
    moe_intermediate_size: hidden,
    shared_expert_intermediate_size: sharedHidden,
  };
}
