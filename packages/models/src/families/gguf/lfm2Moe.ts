import { expectPlainLayers, expressible } from "../family.ts";
import { expectMlp, expectMlps, sharedMlp } from "../mlps.ts";
import { EXPERT_HIDDEN, expertWeights, readExperts, writeExperts } from "./experts.ts";
import { ggufFamily, uint32, writeShared, type GgufFamily } from "./ggufFamily.ts";
import { lfm2Forms, lfm2Weights, readLfm2, writeLfm2 } from "./lfm2.ts";

const NAME = "lfm2moe";
const DENSE = "leading_dense_block_count";
const GATING = "expert_gating_func";
/** llama.cpp's number of the sigmoid. */
const SIGMOID = 2;
/** What a model of this sort is but for its sizes. */
const ROUTER = { router: "sigmoid", routerBias: true, renormalizeEps: 1e-6 } as const;

/** LFM2 with experts in all layers but the first few. */
export const lfm2Moe: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: { ...lfm2Weights, ...expertWeights },
  forms: lfm2Forms,
  read(fields) {
    const { model, layers } = readLfm2(fields, "lfm2_moe");
    const gating = fields.integer(GATING, SIGMOID);
    if (gating !== SIGMOID) throw fields.error(GATING, `must be ${SIGMOID}, the sigmoid`);
    const dense = fields.integer(DENSE, 0, { min: 0 });
    const mlp = { hidden: fields.integer("feed_forward_length", undefined) };
    return {
      ...model,
      mlp: { ...ROUTER, ...readExperts(fields), hidden: fields.integer(EXPERT_HIDDEN, undefined) },
      layers: layers.map((layer, i) => (i < dense ? Object.assign({}, layer, { mlp }) : layer)),
    };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["shortConv", "attention"]);
    expectMlps(NAME, model);
    const [mixture, dense] = [sharedMlp(NAME, model, true), sharedMlp(NAME, model, false)];
    expressible(NAME, mixture !== undefined, "layers", "no experts");
    const { hidden, experts, expertsPerToken } = mixture!;
    expectMlp(NAME, mixture, { ...ROUTER, hidden, experts, expertsPerToken });
    expectMlp(NAME, dense, { hidden: dense?.hidden });
    const mixed = model.layers.map(({ mlp }) => mlp!.experts > 0);
    const first = mixed.indexOf(true);
    expressible(NAME, mixed.slice(first).every(Boolean), "layers of experts", mixed);
    return {
      ...writeShared(NAME, model),
      ...writeLfm2(NAME, model),
      ...writeExperts(mixture!),
      feed_forward_length: uint32(dense?.hidden ?? hidden),
      [EXPERT_HIDDEN]: uint32(hidden),
      [DENSE]: uint32(first),
      [GATING]: uint32(SIGMOID),
    };
  },
});
