import type { ConfigOf, GivenOf, Known } from "../../config/field.ts";
import type { ConfigFields } from "../../config/fields.ts";
import { Schema } from "../../config/schema.ts";
import { readScaling, type RotaryScaling } from "./scaling.ts";
import { headCountIn, headDimIn } from "../heads.ts";

const attentionFields = {
  nHeads: {
    type: "integer",
    max: 65536,
    default: { text: "dModel / headDim", of: (known: Known): number => headCountIn(known, known.dModel, "dModel") },
    doc: "heads of queries (h)",
    names: { mamba_ssm: "num_heads" },
  },
  nHeadsKv: {
    type: "integer",
    max: 65536,
    default: { text: "nHeads", of: (known: Known): number => known.num("nHeads") },
    doc: "heads of keys and values, each shared by nHeads / nHeadsKv",
    names: { mamba_ssm: "num_heads_kv" },
  },
  headDim: {
    type: "integer",
    max: 65536,
    default: {
      text: "dModel / nHeads, or the largest power of two up to 64 that divides dModel",
      of: (known: Known): number => headDimIn(known, known.dModel, "dModel"),
    },
    doc: "channels of a head (p)",
    names: { mamba_ssm: "head_dim" },
  },
  useQkvBias: {
    type: "boolean",
    default: false,
    doc: "bias of the projection to q, k and v",
    names: { mamba_ssm: "qkv_proj_bias" },
  },
  useOutBias: {
    type: "boolean",
    default: false,
    doc: "bias of the projection back",
    names: { mamba_ssm: "out_proj_bias" },
  },
  softmaxScale: {
    type: "number",
    min: 0,
    max: 1e6,
    default: { text: "1 / sqrt(headDim)", of: (known: Known): number => known.num("headDim") ** -0.5 },
    doc: "factor on the scores",
    names: { mamba_ssm: "softmax_scale" },
  },
  causal: {
    type: "boolean",
    default: true,
    doc: "no token looks ahead; false is read, and refused by the layer",
    names: { mamba_ssm: "causal" },
  },
  dConv: {
    type: "integer",
    min: 0,
    max: 256,
    default: 0,
    doc: "taps of a convolution over q, k and v; 0 for none",
    names: { mamba_ssm: "d_conv" },
  },
  rotaryDim: {
    type: "integer",
    min: 0,
    default: { text: "headDim, if odd one less", of: (known: Known): number => evenPart(known.num("headDim")) },
    doc: "channels of a head that are rotated by their position; 0 for no positions",
    names: { mamba_ssm: "rotary_emb_dim" },
  },
  rotaryBase: {
    type: "number",
    min: 0,
    above: true,
    max: 1e12,
    default: 10000,
    doc: "base of the rotation's frequencies",
    names: { mamba_ssm: "rotary_emb_base" },
  },
  rotaryScaling: {
    type: "record",
    optional: true,
    read: (fields: ConfigFields): RotaryScaling => readScaling(fields),
    text: "{ type: `linear`, `dynamic`, `yarn` or `llama3`, factor, trainedLength, ramp, gain, wholePairs }",
    doc: "how frequencies are scaled for longer texts",
  },
  rotaryInterleaved: {
    type: "boolean",
    default: false,
    doc: "neighbours are rotated, not halves",
    names: { mamba_ssm: "rotary_emb_interleaved" },
  },
  qkNorm: {
    type: "choice",
    choices: ["none", "head", "all"],
    default: "none",
    doc: "RMS norm of queries and keys before they are rotated: of each head apart, or of all heads together",
  },
  qkNormEps: { type: "number", min: 0, max: 1, default: 1e-6, doc: "epsilon of that norm" },
  qkNormOffset: {
    type: "number",
    default: 0,
    doc: "added to that norm's weight: 1 where files keep the weight's distance from 1",
  },
  outputGate: {
    type: "boolean",
    default: false,
    doc: "the projection also makes a gate: what the heads answer is multiplied by its sigmoid",
  },
  softCap: {
    type: "number",
    optional: true,
    min: 0,
    above: true,
    max: 1e6,
    doc: "bound on the scores: each is softCap tanh(score / softCap)",
  },
  sinks: {
    type: "boolean",
    default: false,
    doc: "each head has a learned score more in its softmax, with no value: what it draws goes nowhere",
  },
  window: {
    type: "integer",
    min: 0,
    default: 0,
    doc: "tokens that a query sees, its own included; 0 for all. With a window the state has a constant size",
  },
  mlpDim: {
    type: "integer",
    min: 0,
    default: 0,
    doc: "width of a gated MLP that shares the projections; 0 for none",
    names: { mamba_ssm: "mlp_dim" },
  },
} as const;

const evenPart = (x: number): number => x - (x % 2);

/** What one attention layer is made of. */
export type AttentionMixerConfig = ConfigOf<typeof attentionFields>;

/** The settings of an attention layer. */
export const attentionSchema: Schema<AttentionMixerConfig, GivenOf<typeof attentionFields>> = new Schema(
  "attention",
  [attentionFields],
  ({ nHeads, nHeadsKv, headDim: p, rotaryDim, rotaryScaling, window, mlpDim }, fail) => {
    if (nHeads % nHeadsKv !== 0) fail("nHeadsKv", `must divide nHeads = ${nHeads}`);
    if (rotaryDim % 2 !== 0 || rotaryDim > p) fail("rotaryDim", `must be even and at most headDim = ${p}`);
    if (rotaryScaling?.type === "dynamic" && window > 0)
      fail("rotaryScaling", "must not be dynamic where there is a window");
    if (mlpDim % 2 !== 0) fail("mlpDim", "must be even");
  },
);
