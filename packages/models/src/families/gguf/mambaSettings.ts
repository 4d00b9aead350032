import type { ConfigFields } from "../../config/fields.ts";
import { mambaSchema, type MambaMixerConfig } from "../../mixers/mamba/config.ts";
import { expressible } from "../family.ts";
import type { WeightRules } from "../weightNames.ts";
import { decay, squeezed, type Form } from "./forms.ts";
import { expectKeys, hasTensor, uint32, type GgufMetadata } from "./ggufFamily.ts";

/** Keys of the settings of Mamba. */
const keys: Readonly<Record<string, string>> = {
  dConv: "ssm.conv_kernel",
  dInner: "ssm.inner_size",
  dState: "ssm.state_size",
  dtRank: "ssm.time_step_rank",
};

/** Names of the weights of Mamba. */
export const mambaWeights = (ours: string): WeightRules => ({
  [`${ours}.in_proj`]: "blk.*.ssm_in",
  [`${ours}.conv1d`]: "blk.*.ssm_conv1d",
  [`${ours}.x_proj`]: "blk.*.ssm_x",
  [`${ours}.dt_proj`]: "blk.*.ssm_dt",
  [`${ours}.A_log`]: "blk.*.ssm_a",
  [`${ours}.D`]: "blk.*.ssm_d",
  [`${ours}.out_proj`]: "blk.*.ssm_out",
});

/** How the file has the weights of Mamba. */
export const mambaForms: Readonly<Record<string, readonly Form[]>> = {
  "blk.*.ssm_conv1d.weight": [squeezed],
  "blk.*.ssm_a": [decay],
};

/** Settings of Mamba. */
export function readMamba(
  fields: ConfigFields,
  dModel: number,
  norms: Partial<MambaMixerConfig>,
): ReturnType<typeof mambaSchema.read> {
  expectKeys(fields, keys);
  const defaults = { useConvBias: hasTensor(fields, "blk.*.ssm_conv1d.bias"), ...norms };
  return mambaSchema.read(fields, dModel, { names: (setting) => keys[setting], defaults });
}

/** Inverse of `readMamba`. @throws ArgumentError for what llama.cpp takes for granted. */
export function writeMamba(architecture: string, config: MambaMixerConfig): GgufMetadata {
  const demand = (ok: boolean, setting: keyof MambaMixerConfig): void =>
    expressible(architecture, ok, setting, config[setting]);
  demand(config.dInner === 2 * config.dModel, "dInner");
  demand(config.useConvBias, "useConvBias");
  demand(!config.useBias, "useBias");
  const written = mambaSchema.write(config, (setting) => keys[setting]);
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [key, uint32(value as number)]));
}
