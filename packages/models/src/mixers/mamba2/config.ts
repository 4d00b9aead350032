import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";
import { checkHeads, headFields, widthFields } from "../heads.ts";
import { checkSteps, stepFields } from "../steps.ts";

/** The fields that only Mamba-2 has. */
const ownFields = {
  dState: {
    type: "integer",
    default: 64,
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
  chunkSize: {
    type: "integer",
    max: 65536,
    default: 128,
    doc: "tokens that one matrix product of the scan takes",
    names: { transformers: "chunk_size", mamba_ssm: "chunk_size" },
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
  mixerNorm: {
    type: "boolean",
    default: true,
    doc: "RMS norm before the projection back, with the gate; without it the gate alone",
    names: { mamba_ssm: "rmsnorm" },
  },
  mixerNormEps: { type: "number", min: 0, max: 1, default: 1e-5, doc: "epsilon of that norm" },
  normBeforeGate: {
    type: "boolean",
    default: false,
    doc: "the gate acts after the norm",
    names: { mamba_ssm: "norm_before_gate" },
  },
  normGroupSize: {
    type: "integer",
    default: { text: "dInner", of: (known: Known): number => known.num("dInner") },
    doc: "channels that are normed together",
  },
  timeStepLimit: {
    type: "interval",
    min: 0,
    default: {
      text: "[0, Infinity]",
      of: (): readonly [number, number] => [0, Infinity],
    },
    doc: "bounds on delta after softplus",
    names: { transformers: "time_step_limit", mamba_ssm: "dt_limit" },
  },
  dHasHeadDim: {
    type: "boolean",
    default: false,
    doc: "D has one entry a channel, not a head",
    names: { mamba_ssm: "D_has_hdim" },
  },
  aInitRange: {
    type: "interval",
    min: 1e-30,
    max: 1e30,
    default: [1, 16],
    doc: "A of a new layer is uniform in minus this range",
    names: { mamba_ssm: "A_init_range" },
  },
} as const;

type Mamba2Fields = typeof widthFields & typeof headFields & typeof ownFields & typeof stepFields;
/** What one Mamba-2 layer is made of. Sizes count elements. */
export type Mamba2MixerConfig = ConfigOf<Mamba2Fields>;

/** The settings of a Mamba-2 layer. */
export const mamba2Schema: Schema<Mamba2MixerConfig, GivenOf<Mamba2Fields>> = new Schema(
  "mamba2",
  [widthFields, headFields, ownFields, stepFields],
  (config, fail) => {
    checkHeads(config, fail);
    checkSteps(config, fail);
    if (config.dInner % config.normGroupSize !== 0) fail("normGroupSize", `must divide dInner = ${config.dInner}`);
  },
);
