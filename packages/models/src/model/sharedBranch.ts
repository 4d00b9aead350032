import { concat, type Tensor } from "@statespace/core";
import type { FirstBranch } from "../layers/block.ts";
import { kaimingUniform } from "../layers/initializers.ts";
import { DenseMlp } from "../layers/mlp.ts";
import { Norm } from "../layers/norm.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { AttentionMixer } from "../mixers/attention/mixer.ts";
import type { ResolvedModel } from "./config.ts";

/**
 * The shared Transformer block of one layer:
 *
 *     linear(mlp(norm2(attention(norm([x, encoded])))))
 *
 * Norms, attention and MLP belong to all layers of the same block; the projection `linear`, and what is added to the shared ones in a use, to the layer.
 * There are no residual connections inside. Source: Zamba (arXiv 2405.16712), figure 2; Zamba2 (arXiv 2411.15242).
 *
 * Weights that are shared bear the number of the first layer that has the block, `shared.5.mlp.fc1.weight`; additions also that of the use.
 */
export function makeSharedBranch(model: ResolvedModel, layer: number, build: ParameterBuilder): FirstBranch {
  const { dModel, layers } = model;
  const { block, attention, mlp, mlpRank, attentionRank } = layers[layer]!.shared!;
  const firstUse = layers.findIndex(({ shared }) => shared?.block === block);
  const use = layers.slice(0, layer).filter(({ shared }) => shared !== undefined).length;
  const shared = build.shared(`shared.${firstUse}`, use);
  const norm = new Norm(model, 2 * dModel, shared.within("norm"));
  const ofAttention = shared.adding(
    attentionRank > 0 ? { in_proj: { rank: attentionRank, parts: ["q", "k", "v"] } } : {},
  );
  const mixer = new AttentionMixer(attention, ofAttention.within("attention"), dModel);
  const norm2 = new Norm(model, dModel, shared.within("norm2"));
  const ofMlp = shared.adding(mlpRank > 0 ? { fc1: { rank: mlpRank } } : {});
  const dense = new DenseMlp(mlp, ofMlp.within("mlp"));
  const linear = build.within(`layers.${layer}.shared`).linear("linear", [dModel, dModel], kaimingUniform(dModel));
  return {
    mixer,
    apply: (x: Tensor, encoded: Tensor, run) =>
      linear.apply(dense.apply(norm2.apply(run(norm.apply(concat([x, encoded], -1)))))),
  };
}
