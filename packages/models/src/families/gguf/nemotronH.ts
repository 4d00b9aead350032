import { mlpSchema, type MlpConfig } from "../../layers/mlpConfig.ts";
import type { ConfigFields } from "../../config/fields.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { expectMlp, sharedMlp } from "../mlps.ts";
import type { WeightRules } from "../weightNames.ts";
import { attentionWeights, neighbourForms, readAttention, writeAttention } from "./attention.ts";
import { EXPERT_HIDDEN, expertWeights, readExperts, SHARED_HIDDEN, writeExperts } from "./experts.ts";
import {
  bool,
  float32,
  ggufFamily,
  hasTensor,
  int32s,
  perLayer,
  readShared,
  readSingle,
  shared,
  uint32,
  writeShared,
  type GgufFamily,
  type GgufMetadata,
} from "./ggufFamily.ts";
import { mamba2Forms, mamba2Weights, readMamba2, writeMamba2 } from "./ssm.ts";

const NAME = "nemotron_h";
const WITH_EXPERTS = "nemotron_h_moe";
const HIDDEN = "feed_forward_length";
/** What its router is but for its sizes. */
const ROUTER = { router: "sigmoid", routerBias: true, renormalizeEps: 1e-20 } as const;

/** Names of weights of both architectures. */
const weights: WeightRules = {
  ...mamba2Weights,
  ...attentionWeights,
  "layers.*.mlp.fc1": "blk.*.ffn_up",
  "layers.*.mlp.fc2": "blk.*.ffn_down",
};
const plain = { gated: false, activation: "relu2" } as const;

/** A model whose layers are Mamba-2, attention or, where the file has a width, what `mlp` is. */
function readLayers(
  fields: ConfigFields,
  mlpOf: (dModel: number, widths: readonly number[]) => MlpConfig,
): ModelConfig {
  const { dModel, nLayer, normEps, model } = readShared(fields, "nemotron_h");
  const { attends, attention } = readAttention(fields, dModel, nLayer, "none");
  const widths = perLayer(fields, HIDDEN, nLayer);
  const ssm: LayerSettings = { kind: "mamba2", ...readMamba2(fields, dModel, normEps) };
  const mlp = mlpOf(dModel, widths);
  const layers = attends.map((attend, i): LayerSettings => {
    if (attend) return { kind: "attention", ...attention };
    return widths[i]! > 0 ? { kind: "mlp", ...mlp } : ssm;
  });
  return { ...model, layers };
}

/** Inverse of `readLayers`. @throws ArgumentError for what it cannot say. */
function writeLayers(architecture: string, model: ResolvedModel, hidden: number): GgufMetadata {
  const kinds = model.layers.map(({ mixers: [mixer] }) => mixer!.kind);
  return {
    ...writeShared(architecture, model),
    // The one of the layers that predict further tokens, which there are not; it has to be there.
    "attention.layer_norm_epsilon": float32(model.normEps),
    [HIDDEN]: int32s(kinds.map((kind) => (kind === "mlp" ? hidden : 0))),
    ...writeMamba2(architecture, model, { noConvBias: true, leastStep: true }),
    ...writeAttention(architecture, model, { positions: "none", biases: true }),
  };
}

/** Nemotron-H without experts: one thing a layer, Mamba-2, attention (without positions) or an MLP with the square of relu. */
export const nemotronH: GgufFamily = ggufFamily({
  architecture: NAME,
  weights,
  forms: { ...mamba2Forms, ...neighbourForms },
  read: (fields) =>
    readLayers(fields, (dModel, widths) => {
      const hidden = widths.some((width) => width > 0) ? shared(fields, HIDDEN, widths) : 1;
      const useBias = hasTensor(fields, "blk.*.ffn_up.bias");
      return mlpSchema.resolve(dModel, { hidden, ...plain, useBias });
    }),
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba2", "attention", "mlp"]);
    const mlp = sharedSettings<MlpConfig>(NAME, model, "mlp");
    const dense = mlp === undefined || (mlp.experts === 0 && !mlp.gated && mlp.activation === "relu2");
    expressible(NAME, dense, "mlp", mlp);
    return writeLayers(NAME, model, mlp?.hidden ?? 1);
  },
});

/** Nemotron-H whose MLPs are all mixtures of experts, chosen by sigmoids and a correction. */
export const nemotronHMoe: GgufFamily = ggufFamily({
  architecture: WITH_EXPERTS,
  weights: {
    ...weights,
    ...expertWeights,
    "layers.*.mlp.experts.fc1.weight": { "blk.*.ffn_up_exps.weight": ["up"] },
    "layers.*.mlp.shared.fc1": "blk.*.ffn_up_shexp",
    "layers.*.mlp.latent.fc1": "blk.*.ffn_latent_down",
    "layers.*.mlp.latent.fc2": "blk.*.ffn_latent_up",
  },
  forms: { ...mamba2Forms, ...neighbourForms },
  read: (fields) =>
    readLayers(fields, (dModel, widths) => {
      const own = fields.has(EXPERT_HIDDEN) ? perLayer(fields, EXPERT_HIDDEN, widths.length) : widths;
      return mlpSchema.resolve(dModel, {
        ...plain,
        ...ROUTER,
        ...readExperts(fields),
        hidden: shared(fields, EXPERT_HIDDEN, own),
        renormalize: fields.boolean("expert_weights_norm", false),
        routedScale: readSingle(fields, "expert_weights_scale", 0) || 1,
        routerGroups: fields.integer("expert_group_count", 1),
        routerGroupsPerToken: fields.integer("expert_group_used_count", 1),
        latent: fields.integer("moe_latent_size", 0, { min: 0 }),
        sharedHidden: fields.integer(SHARED_HIDDEN, undefined),
      });
    }),
  metadata(model) {
    expectPlainLayers(WITH_EXPERTS, model, ["mamba2", "attention", "mlp"]);
    const mixture = sharedMlp(WITH_EXPERTS, model, true);
    const dense = sharedMlp(WITH_EXPERTS, model, false);
    expressible(WITH_EXPERTS, mixture !== undefined, "layers", "no experts");
    expressible(WITH_EXPERTS, dense === undefined, "mlp", dense);
    const { hidden, experts, expertsPerToken, renormalize, routedScale, routerGroups } = mixture!;
    const { routerGroupsPerToken, latent, sharedHidden } = mixture!;
    const sizes = { hidden, experts, expertsPerToken, latent, sharedHidden };
    const router = { ...ROUTER, renormalize, routedScale, routerGroups, routerGroupsPerToken };
    expressible(WITH_EXPERTS, sharedHidden > 0, "sharedHidden", sharedHidden);
    expectMlp(WITH_EXPERTS, mixture, { ...plain, ...router, ...sizes });
    return {
      ...writeLayers(WITH_EXPERTS, model, hidden),
      ...writeExperts(mixture!),
      [EXPERT_HIDDEN]: uint32(hidden),
      [SHARED_HIDDEN]: uint32(sharedHidden),
      expert_shared_count: uint32(1),
      expert_weights_norm: bool(renormalize),
      expert_weights_scale: float32(routedScale),
      expert_group_count: uint32(routerGroups),
      expert_group_used_count: uint32(routerGroupsPerToken),
      ...(latent > 0 ? { moe_latent_size: uint32(latent) } : {}),
    };
  },
});
