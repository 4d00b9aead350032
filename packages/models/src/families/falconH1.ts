import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Projections } from "../layers/linear.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, readSsm, writeAttention, writeSsm } from "./hybrids.ts";
import { expectMlp, mlpWeights } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "falcon_h1";
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

const ssmNames = {
  dInner: "mamba_d_ssm",
  mixerNorm: "mamba_rms_norm",
  normBeforeGate: "mamba_norm_before_gate",
};
/** The parts of what Mamba-2's projection makes, z, x, B, C and dt, each of which has a factor; and the bias of the one back. */
function readProjections(fields: ConfigFields, ssm: Mamba2MixerConfig): Projections {
  const factors = fields.numbers("ssm_multipliers", [1, 1, 1, 1, 1], 5);
  const parts = partRows(ssm).map((rows, i) => [rows, factors[i]!] as const);
  return { in_proj: { factors: parts }, out_proj: { bias: fields.boolean("projectors_bias", false) } };
}

function partRows({ dInner: d, nGroups: g, dState: n, nHeads: h }: Mamba2MixerConfig): number[] {
  return [d, d, g * n, g * n, h];
}

/** Factors on what each mixer takes and gives. */
const inputFactors = ["ssm_in_multiplier", "attention_in_multiplier"] as const;
const outputFactors = ["ssm_out_multiplier", "attention_out_multiplier"] as const;

function readMamba2(fields: ConfigFields, dModel: number, mixerNormEps: number): Mamba2MixerConfig {
  // Written null, the width is that of mamba_expand.
  const width = "mamba_d_ssm" in fields.json ? {} : { dInner: 1024 };
  const norm = { mixerNorm: false, mixerNormEps, normBeforeGate: true };
  const config = readSsm(fields, dModel, { ...width, ...norm }, ssmNames);
  return { ...config, normGroupSize: config.dInner / config.nGroups };
}

/** Falcon-H1: Mamba-2 and attention side by side in each layer, with muP's factors everywhere (arXiv 2507.22448). */
export const falconH1: Family = {
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
    const [gateMultiplier, outputMultiplier] = fields.numbers("mlp_multipliers", [1, 1], 2) as [number, number];
    const factors = (k: 0 | 1): Record<"inputMultiplier" | "outputMultiplier", number> => ({
      inputMultiplier: fields.number(inputFactors[k], 1),
      outputMultiplier: fields.number(outputFactors[k], 1),
    });
    const attention = readAttention(fields, dModel, { nHeadsKv: 8 });
    // Keys are scaled before they are rotated: a factor on the scores.
    const softmaxScale = attention.headDim ** -0.5 * fields.number("key_multiplier", 1);
    const ssm = readMamba2(fields, dModel, normEps);
    const mixers = [
      { kind: "mamba2", ...factors(0), ...ssm, projections: readProjections(fields, ssm) },
      { kind: "attention", ...factors(1), ...attention, softmaxScale },
    ] as const;
    const hidden = fields.integer("intermediate_size", 14336);
    return {
      ...model,
      encoder: { ...model.encoder, multiplier: fields.number("embedding_multiplier", 1) },
      head: { ...model.head, multiplier: fields.number("lm_head_multiplier", 1) },
      mlp: { hidden, gateMultiplier, outputMultiplier, useBias: fields.boolean("mlp_bias", false) },
      layers: Array.from({ length: nLayer }, () => ({ mixers })),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    const { encoder, head, layers } = model;
    const [{ mixers, mlp }] = layers as [(typeof layers)[number]];
    const kinds = layers.map((layer) => layer.mixers.map(({ kind }) => kind).join());
    expressible(NAME, kinds.every((kind) => kind === "mamba2,attention") && mlp !== undefined, "layers", kinds);
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2")!;
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention")!;
    const { headDim, rotaryDim, softmaxScale } = attention;
    const { in_proj: inProj, out_proj: outProj, ...others } = mixers[0]!.projections;
    const parts = inProj?.factors ?? partRows(ssm).map((rows) => [rows, 1] as const);
    const fits = parts.map(([rows]) => rows).join() === partRows(ssm).join() && inProj?.bias === undefined;
    const rest = { ...others, ...mixers[1]!.projections };
    expressible(NAME, fits && outProj?.factors === undefined && Object.keys(rest).length === 0, "projections", rest);
    expressible(NAME, rotaryDim === headDim, "rotaryDim", rotaryDim);
    const { hidden, gateMultiplier, outputMultiplier, useBias } = mlp!;
    for (const layer of layers) expectMlp(NAME, layer.mlp, { hidden, gateMultiplier, outputMultiplier, useBias });
    expressible(NAME, ssm.normGroupSize === ssm.dInner / ssm.nGroups, "normGroupSize", ssm.normGroupSize);
    return {
      ...writeShared(model, NAME, "FalconH1ForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeSsm(NAME, model, ssmNames),
      ...writeAttention(NAME, model),
      ...Object.fromEntries(inputFactors.map((name, k) => [name, mixers[k]!.inputMultiplier])),
      ...Object.fromEntries(outputFactors.map((name, k) => [name, mixers[k]!.outputMultiplier])),
      key_multiplier: Number((softmaxScale * headDim ** 0.5).toPrecision(15)),
      ssm_multipliers: parts.map(([, factor]) => factor),
      projectors_bias: outProj?.bias ?? ssm.useBias,
      embedding_multiplier: encoder.kind === "embedding" ? (encoder.multiplier ?? 1) : 1,
      lm_head_multiplier: head.kind === "language" ? (head.multiplier ?? 1) : 1,
      intermediate_size: hidden,
      mlp_multipliers: [gateMultiplier, outputMultiplier],
      mlp_bias: useBias,
    };
  },
};
