import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";
import { headCountIn, headDimIn } from "../heads.ts";
import { checkSteps, stepFields } from "../steps.ts";

const ownFields = {
  nHeads: {
    type: "integer",
    max: 65536,
    default: { text: "dModel / headDim", of: (known: Known): number => headCountIn(known, known.dModel, "dModel") },
    doc: "heads (h), each with a state and values of its own",
    names: { transformers: "linear_num_value_heads" },
  },
  nHeadsKey: {
    type: "integer",
    max: 65536,
    default: { text: "nHeads", of: (known: Known): number => known.num("nHeads") },
    doc: "heads of queries and keys, each shared by nHeads / nHeadsKey",
    names: { transformers: "linear_num_key_heads" },
  },
  headDim: {
    type: "integer",
    max: 65536,
    default: {
      text: "dModel / nHeads, or the largest power of two up to 64 that divides dModel",
      of: (known: Known): number => headDimIn(known, known.dModel, "dModel"),
    },
    doc: "channels of a value (p)",
    names: { transformers: "linear_value_head_dim" },
  },
  dState: {
    type: "integer",
    max: 65536,
    default: { text: "headDim", of: (known: Known): number => known.num("headDim") },
    doc: "channels of a query and a key: rows of a head's state (n)",
    names: { transformers: "linear_key_head_dim" },
  },
  dConv: {
    type: "integer",
    max: 256,
    default: 4,
    doc: "taps of the convolution over q, k and v (k)",
    names: { transformers: "linear_conv_kernel_dim" },
  },
  negativeEigenvalues: {
    type: "boolean",
    default: false,
    doc: "beta is in [0, 2], so that a state can be mirrored along a key; else in [0, 1]",
    names: { transformers: "linear_allow_neg_eigval" },
  },
  mixerNormEps: { type: "number", min: 0, max: 1, default: 1e-5, doc: "epsilon of the norm before the gate" },
  aInitRange: {
    type: "interval",
    min: 0,
    max: 1e30,
    default: [0, 16],
    doc: "A of a new layer is uniform in minus this range",
  },
} as const;

type GatedDeltaFields = typeof ownFields & typeof stepFields;
/** What one Gated DeltaNet layer is made of. Sizes count elements. */
export type GatedDeltaMixerConfig = ConfigOf<GatedDeltaFields>;

/** The settings of a Gated DeltaNet layer. */
export const gatedDeltaSchema: Schema<GatedDeltaMixerConfig, GivenOf<GatedDeltaFields>> = new Schema(
  "gatedDelta",
  [ownFields, stepFields],
  (config, fail) => {
    checkSteps(config, fail);
    if (config.nHeads % config.nHeadsKey !== 0) fail("nHeadsKey", `must divide nHeads = ${config.nHeads}`);
  },
);
