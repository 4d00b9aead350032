import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mambaSchema, type MambaMixerConfig } from "../mixers/mamba/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights, readAttention, writeAttention } from "./hybrids.ts";
import {
  expectMlp,
  expectMlps,
  expertWeights,
  joinedExpertWeights,
  mlpWeights,
  readExpertsPerToken,
  sharedMlp,
} from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "jamba";
const DEFAULTS = {
  vocabSize: 65536,
  dModel: 4096,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: false,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-6],
} as const;
const mambaNames = mambaSchema.names(undefined, {
  expand: "mamba_expand",
  dState: "mamba_d_state",
  dConv: "mamba_d_conv",
  dtRank: "mamba_dt_rank",
  useConvBias: "mamba_conv_bias",
  useBias: "mamba_proj_bias",
});

/** Which layers are of one sort: one in `period`, from number `offset` on. */
function readPeriod(fields: ConfigFields, what: string, standard: readonly [period: number, offset: number]) {
  const period = fields.integer(`${what}_layer_period`, standard[0]);
  const offset = fields.integer(`${what}_layer_offset`, standard[1], { min: 0 });
  if (offset >= period)
    throw fields.error(`${what}_layer_offset`, `must be less than ${what}_layer_period = ${period}`);
  return (i: number): boolean => i % period === offset;
}

/** Period and offset of the layers that are of one sort. @throws ArgumentError where they come at no such period */
function writePeriod(what: string, layers: readonly boolean[]): JsonObject {
  const offset = layers.indexOf(true);
  const next = layers.indexOf(true, offset + 1);
  const n = layers.length;
  const period = offset < 0 ? n + 1 : next < 0 ? Math.max(n, offset + 1) : next - offset;
  const from = offset < 0 ? n : offset;
  const periodic = from < period && layers.every((is, i) => is === (i % period === from));
  expressible(NAME, periodic, `${what} layers`, layers);
  return { [`${what}_layer_period`]: period, [`${what}_layer_offset`]: from };
}

function writeMlps(model: ResolvedModel): JsonObject {
  expectMlps(NAME, model);
  const [dense, mixture] = [sharedMlp(NAME, model, false), sharedMlp(NAME, model, true)];
  const hidden = (mixture ?? dense)!.hidden;
  expectMlp(NAME, dense, { hidden });
  const written = { intermediate_size: hidden, num_experts: mixture?.experts ?? 1 };
  if (mixture === undefined) return { ...written, num_experts_per_tok: 1 };
  const { experts, expertsPerToken } = mixture;
  expectMlp(NAME, mixture, { hidden, experts, expertsPerToken, renormalize: false });
  return {
    ...written,
    num_experts_per_tok: expertsPerToken,
    ...writePeriod(
      "expert",
      model.layers.map(({ mlp }) => mlp!.experts > 0),
    ),
  };
}

/** Jamba: Mamba with norms on delta, B and C, attention (without positions) in some layers, experts in others (arXiv 2403.19887). */
export const jamba: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.input_layernorm",
    "layers.*.mamba": "model.layers.*.mamba",
    "layers.*.mamba.dt_norm": "model.layers.*.mamba.dt_layernorm",
    "layers.*.mamba.B_norm": "model.layers.*.mamba.b_layernorm",
    "layers.*.mamba.C_norm": "model.layers.*.mamba.c_layernorm",
    ...attentionWeights("model.layers.*.self_attn"),
    "layers.*.norm2": "model.layers.*.pre_ff_layernorm",
    ...mlpWeights("model.layers.*.feed_forward"),
    "layers.*.mlp.router": "model.layers.*.feed_forward.router",
    ...expertWeights("model.layers.*.feed_forward.experts"),
    norm_f: "model.final_layernorm",
    head: "lm_head",
  },
  weightOnly: ["dt_proj"],
  alternatives: joinedExpertWeights("model.layers.*.feed_forward.experts"),
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const defaults = { mixerNormEps: normEps, mixerNormWeight: true };
    const mamba = { kind: "mamba", ...mambaSchema.read(fields, dModel, { names: mambaNames, defaults }) } as const;
    const attention = { kind: "attention", ...readAttention(fields, dModel, { nHeadsKv: 8, rotaryDim: 0 }) } as const;
    const [attends, mixes] = [readPeriod(fields, "attn", [8, 4]), readPeriod(fields, "expert", [2, 1])];
    const hidden = fields.integer("intermediate_size", 14336);
    const experts = fields.integer("num_experts", 16);
    const mixture = { hidden, experts, expertsPerToken: readExpertsPerToken(fields, 2), renormalize: false };
    const layers = Array.from({ length: nLayer }, (_, i): LayerSettings => {
      const mixer = attends(i) ? attention : mamba;
      return Object.assign({}, mixer, { mlp: experts > 1 && mixes(i) ? mixture : { hidden } });
    });
    return { ...model, layers };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba", "attention"]);
    const mamba = sharedSettings<MambaMixerConfig>(NAME, model, "mamba");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    const norms = [mamba?.mixerNormEps ?? model.normEps, mamba?.mixerNormWeight ?? true] as const;
    expressible(NAME, norms[0] === model.normEps && norms[1], "mixerNormEps, mixerNormWeight", norms);
    expressible(NAME, (attention?.rotaryDim ?? 0) === 0, "rotaryDim", attention?.rotaryDim);
    const { rope_parameters: _, ...written } = writeAttention(NAME, model);
    return {
      ...writeShared(model, NAME, "JambaForCausalLM", DEFAULTS.eps[0], dtype),
      ...(mamba && mambaSchema.write(mamba, mambaNames)),
      ...(mamba && { mamba_expand: mamba.dInner / mamba.dModel }),
      ...written,
      ...writePeriod(
        "attn",
        model.layers.map(({ mixers: [mixer] }) => mixer!.kind === "attention"),
      ),
      ...writeMlps(model),
    };
  },
};
