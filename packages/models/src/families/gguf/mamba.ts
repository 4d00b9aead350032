import { mambaSchema, type MambaMixerConfig } from "../../mixers/mamba/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { decay, squeezed } from "./forms.ts";
import {
  bool,
  expectKeys,
  ggufFamily,
  hasTensor,
  readShared,
  uint32,
  writeShared,
  type GgufFamily,
} from "./ggufFamily.ts";

const NAME = "mamba";
const keys: Readonly<Record<string, string>> = {
  dConv: "ssm.conv_kernel",
  dInner: "ssm.inner_size",
  dState: "ssm.state_size",
  dtRank: "ssm.time_step_rank",
};
/** Whether B, C and delta are normed, as FalconMamba has them. */
const NORMED = "ssm.dt_b_c_rms";

/** Mamba and FalconMamba. llama.cpp has one epsilon for all norms: what FalconMamba has for B, C and delta (1e-6 where the layers have 1e-5) is lost. */
export const mamba: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: {
    "layers.*.mixer.in_proj": "blk.*.ssm_in",
    "layers.*.mixer.conv1d": "blk.*.ssm_conv1d",
    "layers.*.mixer.x_proj": "blk.*.ssm_x",
    "layers.*.mixer.dt_proj": "blk.*.ssm_dt",
    "layers.*.mixer.A_log": "blk.*.ssm_a",
    "layers.*.mixer.D": "blk.*.ssm_d",
    "layers.*.mixer.out_proj": "blk.*.ssm_out",
  },
  forms: { "blk.*.ssm_conv1d.weight": [squeezed], "blk.*.ssm_a": [decay] },
  read(fields) {
    expectKeys(fields, keys);
    const normed = fields.boolean(NORMED, false);
    const { dModel, nLayer, normEps, model } = readShared(fields, normed ? "falcon_mamba" : "mamba");
    const defaults = {
      useConvBias: hasTensor(fields, "blk.*.ssm_conv1d.bias"),
      ...(normed ? { mixerNormEps: normEps } : {}),
    };
    const config = mambaSchema.read(fields, dModel, { names: (setting) => keys[setting], defaults });
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
    const demand = (ok: boolean, setting: keyof MambaMixerConfig): void =>
      expressible(NAME, ok, setting, config[setting]);
    demand(config.dInner === 2 * model.dModel, "dInner");
    demand(config.useConvBias, "useConvBias");
    demand(!config.useBias, "useBias");
    demand(!config.mixerNormWeight, "mixerNormWeight");
    return {
      ...writeShared(NAME, model),
      feed_forward_length: uint32(0),
      "attention.head_count": uint32(0),
      ...Object.fromEntries(
        Object.entries(mambaSchema.write(config, (setting) => keys[setting])).map(([key, value]) => [
          key,
          uint32(value as number),
        ]),
      ),
      [NORMED]: bool(config.mixerNormEps !== undefined),
    };
  },
});
