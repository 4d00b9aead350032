import type { ConfigFields } from "../config/fields.ts";
import type { Names } from "../config/schema.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import { readRope } from "./rope.ts";

/** Names of the settings of Mamba-2. */
export const ssmNames: Names = mamba2Schema.names(undefined, {
  expand: "mamba_expand",
  nHeads: "n_mamba_heads",
  nGroups: "mamba_ngroups",
  dState: "mamba_d_state",
  dConv: "mamba_d_conv",
  chunkSize: "chunk_size",
  useBias: "add_bias_linear",
  timeStepMin: "time_step_min",
  timeStepMax: "time_step_max",
  timeStepFloor: "time_step_floor",
});
const attentionNames = attentionSchema.names(undefined, {
  nHeads: "num_attention_heads",
  nHeadsKv: "num_key_value_heads",
});
/** That of the norm with the gate, which no config says. */
export const GATED_NORM_EPS = 1e-5;
/** By how much the base of the positions of models for long texts grows; files of transformers 4 leave that to the reader. */
const LONG_CONTEXT = 8;
const TYPES = ["mamba", "linear_attention", "hybrid"] as const;
/** The layers of which the published models have a shared block before Mamba-2, where a config does not list them. */
const PUBLISHED = new Set([6, 12, 18, 24, 30, 36, 42, 47, 51]);
/** Mamba-2 with a norm a group, whose steps do not fall below the least that a new model draws. */
export function readMamba2(fields: ConfigFields, dModel: number): Mamba2MixerConfig {
  const defaults = { expand: 2, nHeads: 8, chunkSize: 256, mixerNormEps: GATED_NORM_EPS };
  const config = mamba2Schema.read(fields, dModel, { names: ssmNames, defaults });
  // time_step_limit is not looked at.
  const timeStepLimit = [config.timeStepMin, Infinity] as const;
  return { ...config, timeStepLimit, normGroupSize: config.dInner / config.nGroups };
}

/** Attention over the stream and the embedding, side by side; its scale is that of half a head. */
export function readAttention(fields: ConfigFields, dModel: number): AttentionMixerConfig {
  const nHeads = fields.integer("num_attention_heads", 32, { max: 65536 });
  const headDim = Math.max(1, Math.floor((2 * dModel) / nHeads));
  const rotated = fields.boolean("use_mem_rope", false);
  const rope = readRope(fields, 10000);
  const grows =
    rotated && fields.boolean("use_long_context", false) && !fields.object("rope_parameters").has("rope_theta");
  const defaults = {
    nHeads,
    headDim,
    softmaxScale: (headDim / 2) ** -0.5,
    ...(rotated ? rope : { rotaryDim: 0 }),
    ...(grows ? { rotaryBase: rope.rotaryBase * LONG_CONTEXT ** (headDim / (headDim - 2)) } : {}),
  };
  return attentionSchema.read(fields, 2 * dModel, { names: attentionNames, defaults });
}

/** Which layers have a shared block. */
export function readHybrids(fields: ConfigFields, nLayer: number): readonly boolean[] {
  const key = fields.has("layer_types") ? "layer_types" : "layers_block_type";
  if (!fields.has(key)) return Array.from({ length: nLayer }, (_, i) => PUBLISHED.has(i));
  const types = fields.choices(key, TYPES, "mamba", nLayer);
  if (types.length !== nLayer) throw fields.error(key, `must have num_hidden_layers = ${nLayer} entries`);
  return types.map((type) => type === "hybrid");
}
