import type { ConfigFields } from "../../config/fields.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../../mixers/mamba2/config.ts";
import type { ResolvedModel } from "../../model/config.ts";
import { expressible, sharedSettings } from "../family.ts";
import type { WeightRules } from "../weightNames.ts";
import { column, decay, layerOf, squeezed, type Form } from "./forms.ts";
import { expectKeys, hasTensor, uint32, type GgufMetadata } from "./ggufFamily.ts";

/** Keys of the settings of Mamba-2. */
const keys: Readonly<Record<string, string>> = {
  dConv: "ssm.conv_kernel",
  dInner: "ssm.inner_size",
  dState: "ssm.state_size",
  nHeads: "ssm.time_step_rank",
  nGroups: "ssm.group_count",
};

/** Names of the weights of Mamba-2. */
export const mamba2Weights: WeightRules = {
  "layers.*.mamba2.in_proj": "blk.*.ssm_in",
  "layers.*.mamba2.conv1d": "blk.*.ssm_conv1d",
  "layers.*.mamba2.dt_bias": "blk.*.ssm_dt.bias",
  "layers.*.mamba2.A_log": "blk.*.ssm_a",
  "layers.*.mamba2.D": "blk.*.ssm_d",
  "layers.*.mamba2.norm": "blk.*.ssm_norm",
  "layers.*.mamba2.out_proj": "blk.*.ssm_out",
};

/** The norm of each group of channels apart: `[d] -> [g, d / g]`. */
const byGroup: Form = (target, model) => {
  const found = model.resolved.layers[layerOf(target)]!.mixers.find(({ kind }) => kind === "mamba2");
  const { nGroups, dInner } = found!.config as Mamba2MixerConfig;
  return { ...target, shape: [nGroups, dInner / nGroups] };
};

/** How the file has the weights of Mamba-2. */
export const mamba2Forms: Readonly<Record<string, readonly Form[]>> = {
  "blk.*.ssm_conv1d.weight": [squeezed],
  "blk.*.ssm_a": [decay, column],
  "blk.*.ssm_d": [column],
  "blk.*.ssm_norm.weight": [byGroup],
};

/** Settings of Mamba-2; llama.cpp norms each group of channels apart, after the gate. */
export function readMamba2(fields: ConfigFields, dModel: number, normEps: number): Mamba2MixerConfig {
  expectKeys(fields, keys);
  const dInner = fields.integer("ssm.inner_size", undefined);
  const nGroups = fields.integer("ssm.group_count", undefined, { max: 65536 });
  const nHeads = fields.integer("ssm.time_step_rank", undefined, { max: 65536 });
  if (dInner % nHeads !== 0) throw fields.error("ssm.time_step_rank", `must divide ssm.inner_size = ${dInner}`);
  if (dInner % nGroups !== 0) throw fields.error("ssm.group_count", `must divide ssm.inner_size = ${dInner}`);
  const defaults = {
    headDim: dInner / nHeads,
    normGroupSize: dInner / nGroups,
    mixerNorm: hasTensor(fields, "blk.*.ssm_norm.weight"),
    mixerNormEps: normEps,
    useConvBias: hasTensor(fields, "blk.*.ssm_conv1d.bias"),
    useBias: hasTensor(fields, "blk.*.ssm_in.bias"),
    chunkSize: 256,
  };
  return mamba2Schema.read(fields, dModel, { names: (setting) => keys[setting], defaults });
}

/** What of Mamba-2 an architecture has a place for beside what it always has. */
export interface Mamba2Allows {
  /** A convolution without a bias. */
  readonly noConvBias?: boolean;
  readonly noNorm?: boolean;
  /** A least step, which llama.cpp leaves out. */
  readonly leastStep?: boolean;
}

/** Inverse of `readMamba2`. @throws ArgumentError for what it cannot say. */
export function writeMamba2(architecture: string, model: ResolvedModel, allows: Mamba2Allows = {}): GgufMetadata {
  const config = sharedSettings<Mamba2MixerConfig>(architecture, model, "mamba2");
  if (config === undefined) return {};
  const [least, most] = config.timeStepLimit;
  const demand = (ok: boolean, setting: keyof Mamba2MixerConfig): void =>
    expressible(architecture, ok, setting, config[setting]);
  demand(config.mixerNorm || allows.noNorm === true, "mixerNorm");
  demand(!config.mixerNorm || config.normGroupSize === config.dInner / config.nGroups, "normGroupSize");
  demand(!config.mixerNorm || !config.normBeforeGate, "normBeforeGate");
  demand(!config.mixerNorm || config.mixerNormEps === model.normEps, "mixerNormEps");
  demand(config.useConvBias || allows.noConvBias === true, "useConvBias");
  demand(!config.useBias, "useBias");
  demand(most === Infinity && (least === 0 || allows.leastStep === true), "timeStepLimit");
  demand(!config.dHasHeadDim, "dHasHeadDim");
  const written = mamba2Schema.write(config, (setting) => keys[setting]);
  return Object.fromEntries(Object.entries(written).map(([key, value]) => [key, uint32(value as number)]));
}
