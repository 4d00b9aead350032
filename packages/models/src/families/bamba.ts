import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, readSsm, writeAttention, writeSsm } from "./hybrids.ts";
import { mlpWeights } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "bamba";
const DEFAULTS = {
  vocabSize: 128000,
  dModel: 4096,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-5],
} as const;

/** Share of a head's channels that are rotated. */
function rotaryShare(fields: ConfigFields): number {
  const rope = fields.object("rope_parameters");
  return (rope.has("partial_rotary_factor") ? rope : fields).number("partial_rotary_factor", 0.5, { min: 0, max: 1 });
}

/** Bamba: Mamba-2 layers, attention in some of them, a gated MLP in each. */
export const bamba: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.input_layernorm",
    "layers.*.mamba2": "model.layers.*.mamba",
    ...attentionWeights("model.layers.*.self_attn"),
    "layers.*.norm2": "model.layers.*.pre_ff_layernorm",
    ...mlpWeights("model.layers.*.feed_forward"),
    norm_f: "model.final_layernorm",
    head: "lm_head",
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const read = readAttention(fields, dModel, { nHeadsKv: 8 });
    const rotaryDim = Math.floor(read.headDim * rotaryShare(fields));
    const attention: LayerSettings = { kind: "attention", ...read, rotaryDim };
    const ssm: LayerSettings = { kind: "mamba2", ...readSsm(fields, dModel, { mixerNormEps: normEps }) };
    const attends = new Set(fields.integers("attn_layer_indices", [], { max: nLayer - 1 }));
    const mlp = { hidden: fields.integer("intermediate_size", 14336), useBias: fields.boolean("mlp_bias", false) };
    return { ...model, mlp, layers: Array.from({ length: nLayer }, (_, i) => (attends.has(i) ? attention : ssm)) };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba2", "attention"]);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    const { mlp } = model.layers[0]!;
    expressible(NAME, mlp !== undefined && mlp.gated && mlp.activation === "silu" && mlp.experts === 0, "mlp", mlp);
    expressible(NAME, ssm === undefined || ssm.normGroupSize === ssm.dInner, "normGroupSize", ssm?.normGroupSize);
    const share = attention === undefined ? 0.5 : attention.rotaryDim / attention.headDim;
    const { rope_parameters: rope, ...written } = writeAttention(NAME, model);
    return {
      ...writeShared(model, NAME, "BambaForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeSsm(NAME, model),
      ...written,
      rope_parameters: { ...(rope as JsonObject), partial_rotary_factor: share },
      partial_rotary_factor: share,
      attn_layer_indices: model.layers.flatMap(({ mixers: [mixer] }, i) => (mixer!.kind === "attention" ? [i] : [])),
      intermediate_size: mlp!.hidden,
      mlp_bias: mlp!.useBias,
    };
  },
};
