import { sharedSettings, expectPlainLayers, expressible } from "../family.ts";
import type { MambaMixerConfig } from "../../mixers/mamba/config.ts";
import { bool, ggufFamily, readShared, uint32, writeShared, type GgufFamily } from "./ggufFamily.ts";
import { mambaForms, mambaWeights, readMamba, writeMamba } from "./mambaSettings.ts";

const NAME = "mamba";
/** Whether B, C and delta are normed, as FalconMamba has them. */
const NORMED = "ssm.dt_b_c_rms";

/** Mamba and FalconMamba. llama.cpp has one epsilon for all norms: what FalconMamba has for B, C and delta (1e-6 where the layers have 1e-5) is lost. */
export const mamba: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: mambaWeights("layers.*.mixer"),
  forms: mambaForms,
  read(fields) {
    const normed = fields.boolean(NORMED, false);
    const { dModel, nLayer, normEps, model } = readShared(fields, normed ? "falcon_mamba" : "mamba");
    const config = readMamba(fields, dModel, normed ? { mixerNormEps: normEps } : {});
    return { ...model, layers: Array.from({ length: nLayer }, () => ({ kind: "mamba", ...config }) as const) };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba"]);
    expressible(
      NAME,
      model.layers.every(({ mlp }) => mlp === undefined),
      "mlp",
      model.layers[0]!.mlp,
    );
    const config = sharedSettings<MambaMixerConfig>(NAME, model, "mamba")!;
    expressible(NAME, !config.mixerNormWeight, "mixerNormWeight", config.mixerNormWeight);
    return {
      ...writeShared(NAME, model),
      feed_forward_length: uint32(0),
      "attention.head_count": uint32(0),
      ...writeMamba(NAME, config),
      [NORMED]: bool(config.mixerNormEps !== undefined),
    };
  },
});
