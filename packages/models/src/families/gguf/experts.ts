import type { ConfigFields } from "../../config/fields.ts";
import type { MlpConfig } from "../../layers/mlpConfig.ts";
import type { WeightRules } from "../weightNames.ts";
import { uint32, type GgufMetadata } from "./ggufFamily.ts";

/** Names of the weights of a mixture: all experts of a layer in one tensor, gates apart. */
export const expertWeights: WeightRules = {
  "layers.*.mlp.router.weight": "blk.*.ffn_gate_inp.weight",
  "layers.*.mlp.router.correction": "blk.*.exp_probs_b.bias",
  "layers.*.mlp.experts.fc1.weight": { "blk.*.ffn_gate_exps.weight": ["gate"], "blk.*.ffn_up_exps.weight": ["up"] },
  "layers.*.mlp.experts.fc2.weight": { "blk.*.ffn_down_exps.weight": ["down"] },
  "layers.*.mlp.shared.fc1": { "blk.*.ffn_gate_shexp": ["gate"], "blk.*.ffn_up_shexp": ["up"] },
  "layers.*.mlp.shared.fc2": "blk.*.ffn_down_shexp",
};

/** Width of an expert, where the file has it apart from that of dense layers; of the MLP for all tokens. */
export const EXPERT_HIDDEN = "expert_feed_forward_length";
export const SHARED_HIDDEN = "expert_shared_feed_forward_length";

/** How many experts there are, 0 for none. */
export function readExpertCount(fields: ConfigFields): number {
  return fields.integer("expert_count", 0, { min: 0 });
}

/** How many there are, and how many each token goes through. */
export function readExperts(fields: ConfigFields): Pick<MlpConfig, "experts" | "expertsPerToken"> {
  return {
    experts: fields.integer("expert_count", undefined),
    expertsPerToken: fields.integer("expert_used_count", undefined),
  };
}

/** Inverse of `readExperts`. */
export function writeExperts({ experts, expertsPerToken }: MlpConfig): GgufMetadata {
  return { expert_count: uint32(experts), expert_used_count: uint32(expertsPerToken) };
}
