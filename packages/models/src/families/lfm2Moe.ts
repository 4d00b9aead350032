import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MlpSettings } from "../layers/mlpConfig.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { expressible, type Family } from "./family.ts";
import { LFM2_MLP, lfm2Weights, readLfm2Layers, readLfm2Tie, writeLfm2Layers } from "./lfm2.ts";
import { expectMlp, expectMlps, expertWeights, joinedExpertWeights, readExpertsPerToken, sharedMlp } from "./mlps.ts";
import { formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "lfm2_moe";
const DEFAULTS = {
  vocabSize: 65536,
  dModel: 2048,
  nLayer: 32,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: true,
  initializerRange: 0.02,
  eps: ["norm_eps", 1e-5],
} as const;
/** What transformers adds to the sum by which it divides. */
const RENORMALIZE_EPS = 1e-6;

function readMixture(fields: ConfigFields): MlpSettings {
  return {
    hidden: fields.integer("moe_intermediate_size", 1792),
    experts: fields.integer("num_experts", 32),
    expertsPerToken: readExpertsPerToken(fields, 4),
    router: "sigmoid",
    routerBias: fields.boolean("use_expert_bias", true),
    renormalize: fields.boolean("norm_topk_prob", true),
    renormalizeEps: RENORMALIZE_EPS,
    routedScale: fields.number("routed_scaling_factor", 1),
  };
}

/** The mixtures of a model, of which only those after its first layers may be. @throws ArgumentError for what such a config cannot say. */
function writeMlps(model: ResolvedModel): JsonObject {
  expectMlps(NAME, model);
  const [mixture, dense] = [sharedMlp(NAME, model, true), sharedMlp(NAME, model, false)];
  const mixed = model.layers.map(({ mlp }) => mlp!.experts > 0);
  const first = mixed.includes(true) ? mixed.indexOf(true) : mixed.length;
  expressible(NAME, mixed.slice(first).every(Boolean), "layers of experts", mixed);
  expectMlp(NAME, dense, { hidden: dense?.hidden });
  const written = { num_dense_layers: first, ...(dense && { intermediate_size: dense.hidden }) };
  if (mixture === undefined) return written;
  const { hidden, experts, expertsPerToken, routerBias, renormalize, routedScale } = mixture;
  const own = { hidden, experts, expertsPerToken, routerBias, renormalize, routedScale };
  expectMlp(NAME, mixture, { ...own, router: "sigmoid", renormalizeEps: RENORMALIZE_EPS });
  return {
    ...written,
    moe_intermediate_size: hidden,
    num_experts: experts,
    num_experts_per_tok: expertsPerToken,
    use_expert_bias: routerBias,
    norm_topk_prob: renormalize,
    routed_scaling_factor: routedScale,
  };
}

/** LFM2 with experts in all layers but the first few. */
export const lfm2Moe: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    ...lfm2Weights,
    "layers.*.mlp.router.weight": "model.layers.*.feed_forward.gate.weight",
    "layers.*.mlp.router.correction": "model.layers.*.feed_forward.expert_bias",
    ...expertWeights("model.layers.*.feed_forward.experts", LFM2_MLP),
  },
  alternatives: joinedExpertWeights("model.layers.*.feed_forward.experts"),
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const dense = fields.integer("num_dense_layers", 2, { min: 0 });
    const mlp = { hidden: fields.integer("intermediate_size", 7168) };
    const layers = readLfm2Layers(fields, dModel, nLayer, normEps);
    return {
      ...model,
      head: { ...model.head, tie: readLfm2Tie(fields, model.head.tie) },
      mlp: readMixture(fields),
      layers: layers.map((layer, i) => (i < dense ? Object.assign({}, layer, { mlp }) : layer)),
    };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    return {
      ...writeShared(model, NAME, "Lfm2MoeForCausalLM", DEFAULTS.eps[0], dtype),
      ...writeLfm2Layers(NAME, model),
      ...writeMlps(model),
    };
  },
};
