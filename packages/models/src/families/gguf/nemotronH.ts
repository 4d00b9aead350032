import { mlpSchema, type MlpConfig } from "../../layers/mlpConfig.ts";
import type { LayerSettings } from "../../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { attentionWeights, readAttention, writeAttention } from "./attention.ts";
import {
  float32,
  ggufFamily,
  hasTensor,
  int32s,
  perLayer,
  readShared,
  shared,
  writeShared,
  type GgufFamily,
} from "./ggufFamily.ts";
import { mamba2Forms, mamba2Weights, readMamba2, writeMamba2 } from "./ssm.ts";

const NAME = "nemotron_h";
const HIDDEN = "feed_forward_length";

/** Nemotron-H without experts: one thing a layer, Mamba-2, attention (without positions) or an MLP with the square of relu. */
export const nemotronH: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: {
    ...mamba2Weights,
    ...attentionWeights,
    "layers.*.mlp.fc1": "blk.*.ffn_up",
    "layers.*.mlp.fc2": "blk.*.ffn_down",
  },
  forms: mamba2Forms,
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, "nemotron_h");
    const { attends, attention } = readAttention(fields, dModel, nLayer, "none");
    const widths = perLayer(fields, HIDDEN, nLayer);
    const ssm: LayerSettings = { kind: "mamba2", ...readMamba2(fields, dModel, normEps) };
    const hidden = widths.some((width) => width > 0) ? shared(fields, HIDDEN, widths) : 1;
    const useBias = hasTensor(fields, "blk.*.ffn_up.bias");
    const mlp = mlpSchema.resolve(dModel, { hidden, gated: false, activation: "relu2", useBias });
    const layers = attends.map((attend, i): LayerSettings => {
      if (attend) return { kind: "attention", ...attention };
      return widths[i]! > 0 ? { kind: "mlp", ...mlp } : ssm;
    });
    return { ...model, layers };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba2", "attention", "mlp"]);
    const mlp = sharedSettings<MlpConfig>(NAME, model, "mlp");
    const plain = mlp === undefined || (mlp.experts === 0 && !mlp.gated && mlp.activation === "relu2");
    expressible(NAME, plain, "mlp", mlp);
    const kinds = model.layers.map(({ mixers: [mixer] }) => mixer!.kind);
    return {
      ...writeShared(NAME, model),
      // The one of the layers that predict further tokens, which there are not; it has to be there.
      "attention.layer_norm_epsilon": float32(model.normEps),
      [HIDDEN]: int32s(kinds.map((kind) => (kind === "mlp" ? mlp!.hidden : 0))),
      ...writeMamba2(NAME, model, { noConvBias: true, leastStep: true }),
      ...writeAttention(NAME, model, { positions: "none", biases: true }),
    };
  },
});
