import type { FloatStorage, JsonObject } from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { GatedDeltaMixerConfig } from "../mixers/gatedDelta/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { readDelta, readDeltaLayers, writeDeltaLayers } from "./deltaHybrids.ts";
import { expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention } from "./hybrids.ts";
import { mlpWeights } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "olmo_hybrid";
const DEFAULTS = {
  vocabSize: 100352,
  dModel: 3840,
  nLayer: 32,
  bos: null,
  eos: 100257,
  pad: 100277,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;
const deltaNames = {
  negativeEigenvalues: "linear_allow_neg_eigval",
  timeStepMin: "linear_dt_min",
  timeStepMax: "linear_dt_max",
  timeStepFloor: "linear_dt_init_floor",
};
/** That of the norm before the gate, which no config says. */
const GATED_NORM_EPS = 1e-5;
const layer = "model.layers.*";
const linear = `${layer}.linear_attn`;

/** transformers writes the ids of its configuration class whatever the vocabulary: a token that there is not ends nothing. */
function withoutForeignIds(config: JsonObject): JsonObject {
  const size = config.vocab_size ?? DEFAULTS.vocabSize;
  const foreign = ["bos_token_id", "eos_token_id", "pad_token_id"].filter(
    (key) => Number(config[key] ?? 0) >= Number(size),
  );
  return { ...config, ...Object.fromEntries(foreign.map((key) => [key, null])) };
}

function readDeltaNet(fields: ConfigFields, dModel: number): GatedDeltaMixerConfig {
  const heads = fields.integer("num_attention_heads", 30, { max: 65536 });
  const nHeadsKey = fields.integer("linear_num_key_heads", heads, { max: 65536 });
  const dState = fields.integer("linear_key_head_dim", Math.max(1, Math.floor((0.75 * dModel) / nHeadsKey)));
  const [low, high] = [fields.number("linear_a_log_min", 0, { min: 0 }), fields.number("linear_a_log_max", 16)];
  if (low > high) throw fields.error("linear_a_log_max", `must be at least linear_a_log_min = ${low}`);
  const defaults = { nHeads: heads, nHeadsKey, dState, headDim: 2 * dState, negativeEigenvalues: true };
  const other = { mixerNormEps: GATED_NORM_EPS, aInitRange: [low, high] as const };
  return readDelta(fields, dModel, { ...defaults, ...other }, deltaNames);
}

/** Queries and keys are normed over all heads; tokens have positions only where the config gives the base of their rotation. */
function readAttentionLayer(fields: ConfigFields, dModel: number, qkNormEps: number): AttentionMixerConfig {
  const rotated = fields.object("rope_parameters").has("rope_theta") || fields.has("rope_theta");
  const norm = { qkNorm: "all", qkNormEps } as const;
  return readAttention(fields, dModel, { nHeads: 30, ...norm, ...(rotated ? {} : { rotaryDim: 0 }) });
}

/** OLMo-Hybrid: Gated DeltaNet whose states may be mirrored, with norms before, and attention in some layers, with norms after. */
export const olmoHybrid: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": `${layer}.attention_layer_norm`,
    "layers.*.norm2": `${layer}.feedforward_layer_norm`,
    // transformers renames the norms of all layers as it saves, those of attention too.
    "layers:attention.*.norm": `${layer}.feedforward_layer_norm`,
    "layers:attention.*.norm2": `${layer}.post_feedforward_layernorm`,
    "layers.*.gatedDelta": linear,
    "layers.*.gatedDelta.in_proj": Object.fromEntries(
      Object.entries({ q: "q", k: "k", v: "v", g: "z", b: "b", a: "a" }).map(([theirs, part]) => [
        `${linear}.${theirs}_proj`,
        [part],
      ]),
    ),
    "layers.*.gatedDelta.conv1d": Object.fromEntries(
      ["q", "k", "v"].map((part) => [`${linear}.${part}_conv1d`, [part]]),
    ),
    "layers.*.gatedDelta.norm": `${linear}.o_norm`,
    "layers.*.gatedDelta.out_proj": `${linear}.o_proj`,
    "layers.*.attention": `${layer}.self_attn`,
    ...attentionWeights(`${layer}.self_attn`),
    ...mlpWeights(`${layer}.mlp`),
    norm_f: "model.norm",
    head: "lm_head",
  },
  aliases: {
    [`${layer}.input_layernorm.weight`]: `${layer}.attention_layer_norm.weight`,
    [`${layer}.post_attention_layernorm.weight`]: `${layer}.feedforward_layer_norm.weight`,
  },
  evenCuts: true,
  leftOut: { "mtp.": "the heads that predict further tokens" },
  read({ json }: ConfigFields): ModelConfig {
    const fields = new ConfigFields(withoutForeignIds(json));
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const delta: LayerSettings = { kind: "gatedDelta", ...readDeltaNet(fields, dModel) };
    const read = readAttentionLayer(fields, dModel, normEps);
    const attention: LayerSettings = { kind: "attention", normPlacement: "after", ...read };
    const layers = readDeltaLayers(fields, nLayer, delta, attention);
    const listed = fields.has("layer_types") || fields.has("layers_block_type");
    return {
      ...model,
      mlp: { hidden: fields.integer("intermediate_size", 11008) },
      // Without a list the last layer is attention where no other is.
      layers: listed || layers.includes(attention) ? layers : [...layers.slice(0, -1), attention],
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    const delta = sharedSettings<GatedDeltaMixerConfig>(NAME, model, "gatedDelta");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    expressible(NAME, delta !== undefined && attention !== undefined, "layers", "of one kind alone");
    const { qkNorm, qkNormEps, qkNormOffset, outputGate, headDim, nHeads, rotaryDim } = attention!;
    const norm = { qkNorm, qkNormEps, qkNormOffset };
    expressible(NAME, qkNorm === "all" && qkNormEps === model.normEps && qkNormOffset === 0, "attention", norm);
    expressible(NAME, !outputGate, "outputGate", outputGate);
    expressible(NAME, headDim * nHeads === model.dModel, "headDim", headDim);
    expressible(NAME, rotaryDim === headDim || rotaryDim === 0, "rotaryDim", rotaryDim);
    expressible(NAME, delta!.mixerNormEps === GATED_NORM_EPS, "mixerNormEps", delta!.mixerNormEps);
    const [low, high] = delta!.aInitRange;
    const written = writeDeltaLayers(NAME, model, { names: deltaNames, attentionNorms: "after" });
    const { head_dim: _, ...layers } = written; // the configuration class has none
    return {
      ...writeShared(model, NAME, "OlmoHybridForCausalLM", DEFAULTS.eps[0], dtype),
      ...layers,
      linear_a_log_min: low,
      linear_a_log_max: high,
      ...(rotaryDim === 0 ? { rope_parameters: null } : {}),
    };
  },
};
