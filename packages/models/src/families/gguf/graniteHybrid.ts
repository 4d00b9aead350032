import type { AttentionMixerConfig } from "../../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../../mixers/mamba2/config.ts";
import type { LayerSettings, ResolvedModel } from "../../model/config.ts";
import type { ConfigFields } from "../../config/fields.ts";
import type { MlpConfig, MlpSettings } from "../../layers/mlpConfig.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { attentionWeights, mlpWeights, neighbourForms, readAttention, writeAttention, writeMlp } from "./attention.ts";
import { expectMlp, expectMlps, sharedMlp } from "../mlps.ts";
import { expertWeights, readExpertCount, readExperts, SHARED_HIDDEN, writeExperts } from "./experts.ts";
import {
  bool,
  float32,
  ggufFamily,
  readShared,
  readSingle,
  uint32,
  writeShared,
  type GgufFamily,
  type GgufMetadata,
} from "./ggufFamily.ts";
import { mamba2Forms, mamba2Weights, readMamba2, writeMamba2 } from "./ssm.ts";

const NAME = "granitehybrid";
/** Whether there are positions. */
const ROTATED = "rope.scaling.finetuned";

/** A gated MLP, with experts beside it in the larger models. */
function readMlp(fields: ConfigFields): MlpSettings {
  const hidden = fields.integer("feed_forward_length", undefined);
  if (readExpertCount(fields) === 0) return { hidden };
  return { hidden, ...readExperts(fields), sharedHidden: fields.integer(SHARED_HIDDEN, 0, { min: 0 }) };
}

function writeMixture(model: ResolvedModel, mixture: MlpConfig): GgufMetadata {
  const { hidden, experts, expertsPerToken, sharedHidden } = mixture;
  const dense = sharedMlp(NAME, model, false);
  expressible(NAME, dense === undefined, "mlp", dense);
  expectMlps(NAME, model);
  expectMlp(NAME, mixture, { hidden, experts, expertsPerToken, sharedHidden });
  return { feed_forward_length: uint32(hidden), [SHARED_HIDDEN]: uint32(sharedHidden), ...writeExperts(mixture) };
}

/** Granite 4.0 H, and Bamba: Mamba-2 layers, attention in some, a gated MLP in each, experts beside it in some models. */
export const graniteHybrid: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: { ...mamba2Weights, ...attentionWeights, ...mlpWeights, ...expertWeights },
  forms: { ...mamba2Forms, ...neighbourForms },
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, "granitemoehybrid");
    const rotated = fields.boolean(ROTATED, true);
    const { attends, attention } = readAttention(fields, dModel, nLayer, rotated ? "rotary" : "none");
    const ssm: LayerSettings = { kind: "mamba2", ...readMamba2(fields, dModel, normEps) };
    return {
      ...model,
      encoder: { ...model.encoder, multiplier: readSingle(fields, "embedding_scale", 1) },
      head: { ...model.head, multiplier: 1 / (readSingle(fields, "logit_scale", 0) || 1) },
      residualMultiplier: readSingle(fields, "residual_scale", 0) || 1,
      mlp: readMlp(fields),
      layers: attends.map((attend) => (attend ? { kind: "attention", ...attention } : ssm)),
    };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba2", "attention"]);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2");
    expressible(NAME, ssm !== undefined, "layers", "no Mamba-2");
    const mixture = sharedMlp(NAME, model, true);
    // llama.cpp ends the process for any other width.
    expressible(NAME, ssm!.dInner === 2 * model.dModel, "dInner", ssm!.dInner);
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    const rotated = (attention?.rotaryDim ?? 0) > 0;
    const { encoder, head } = model;
    return {
      ...writeShared(NAME, model, { factors: true }),
      ...(mixture === undefined ? writeMlp(NAME, model) : writeMixture(model, mixture)),
      ...writeMamba2(NAME, model, { noConvBias: true }),
      ...writeAttention(NAME, model, { positions: rotated ? "rotary" : "none", scale: "key", biases: true }),
      [ROTATED]: bool(rotated),
      embedding_scale: float32((encoder.kind === "embedding" ? encoder.multiplier : 1) ?? 1),
      residual_scale: float32(model.residualMultiplier),
      logit_scale: float32(Number((1 / ((head.kind === "language" ? head.multiplier : 1) ?? 1)).toPrecision(15))),
    };
  },
});
