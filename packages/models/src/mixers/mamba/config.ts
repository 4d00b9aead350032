import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";
import { widthFields } from "../heads.ts";
import { checkSteps, stepFields } from "../steps.ts";

/** The fields that only Mamba has. */
const ownFields = {
  dState: {
    type: "integer",
    default: 16,
    doc: "state entries of a channel (n)",
    names: { transformers: "state_size", mamba_ssm: "d_state" },
  },
  dConv: {
    type: "integer",
    max: 256,
    default: 4,
    doc: "taps of the convolution (k)",
    names: { transformers: "conv_kernel", mamba_ssm: "d_conv" },
  },
  dtRank: {
    type: "integer",
    auto: true,
    default: { text: "dModel / 16, rounded up", of: (known: Known): number => Math.ceil(known.dModel / 16) },
    doc: "rank of the projection that makes delta",
    names: { transformers: "time_step_rank", mamba_ssm: "dt_rank" },
  },
  useBias: {
    type: "boolean",
    default: false,
    doc: "biases of the two projections",
    names: { transformers: "use_bias", mamba_ssm: "bias" },
  },
  useConvBias: {
    type: "boolean",
    default: true,
    doc: "bias of the convolution",
    names: { transformers: "use_conv_bias", mamba_ssm: "conv_bias" },
  },
  mixerNormEps: {
    type: "number",
    optional: true,
    min: 0,
    max: 1,
    doc: "epsilon of RMS norms on B, C and delta, without weights as FalconMamba has them",
    names: { transformers: "mixer_rms_eps" },
  },
  mixerNormWeight: { type: "boolean", optional: true, doc: "those norms have weights, as Jamba's have" },
  timeStepScale: {
    type: "number",
    min: 0,
    max: 1e6,
    default: 1,
    doc: "scale of the initial projection to delta",
    names: { transformers: "time_step_scale", mamba_ssm: "dt_scale" },
  },
  timeStepInitScheme: {
    type: "choice",
    choices: ["random", "constant", "uniform"],
    default: "random",
    doc: "how that projection starts",
    names: { transformers: "time_step_init_scheme", mamba_ssm: "dt_init" },
  },
} as const;

type MambaFields = typeof widthFields & typeof ownFields & typeof stepFields;
/** What one Mamba layer is made of. Sizes count elements. */
export type MambaMixerConfig = ConfigOf<MambaFields>;

/** The settings of a Mamba layer. */
export const mambaSchema: Schema<MambaMixerConfig, GivenOf<MambaFields>> = new Schema(
  "mamba",
  [widthFields, ownFields, stepFields],
  (config, fail) => {
    checkSteps(config, fail);
    if (config.mixerNormWeight && config.mixerNormEps === undefined)
      fail("mixerNormWeight", "must be false where there is no mixerNormEps");
  },
);
