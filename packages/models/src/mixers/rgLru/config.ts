import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import { Schema } from "../../config/schema.ts";

const rgLruFields = {
  dInner: {
    type: "integer",
    default: { text: "dModel", of: (known: Known): number => known.dModel },
    doc: "channels of the recurrence (d)",
    names: { transformers: "lru_width" },
  },
  nHeads: {
    type: "integer",
    max: 65536,
    default: 1,
    doc: "heads (h): the two gates of a channel see the channels of its head alone",
    names: { transformers: "num_attention_heads" },
  },
  dConv: {
    type: "integer",
    max: 256,
    default: 4,
    doc: "taps of the convolution before the recurrence (k)",
    names: { transformers: "conv1d_width" },
  },
  activation: {
    type: "choice",
    choices: ["silu", "gelu", "geluTanh", "relu2"],
    default: "geluTanh",
    doc: "of the branch that the output is multiplied by",
  },
  aInitRange: {
    type: "interval",
    min: 1e-6,
    max: 0.999999,
    default: [0.9, 0.999],
    doc: "a new channel's decay to the power of 1 / 8, drawn so that its square is uniform",
  },
} as const;

/** What one layer of gated linear recurrences is made of. */
export type RgLruConfig = ConfigOf<typeof rgLruFields>;

/** The settings of an RG-LRU layer. */
export const rgLruSchema: Schema<RgLruConfig, GivenOf<typeof rgLruFields>> = new Schema(
  "rgLru",
  [rgLruFields],
  ({ dInner, nHeads }, fail) => {
    if (dInner % nHeads !== 0) fail("nHeads", `must divide dInner = ${dInner}`);
  },
);
