import type { AttentionMixerConfig } from "../../mixers/attention/config.ts";
import { factorsByRow } from "../../layers/linear.ts";
import type { Model } from "../../model/model.ts";
import type { ResolvedMixer } from "../../model/config.ts";
import { expressible } from "../family.ts";
import type { PublishedTensor } from "../weightNames.ts";
import { attentionWeights, mlpWeights, readAttention, writeAttention, writeMlp } from "./attention.ts";
import { alsoValues, layerOf, type Form } from "./forms.ts";
import { ggufFamily, readShared, writeShared, type GgufFamily } from "./ggufFamily.ts";
import { mamba2Forms, mamba2Weights, readMamba2, writeMamba2 } from "./ssm.ts";

const NAME = "falcon-h1";

/** Factors are multiplied into the weights, since the file has no place for them. Read again they are 1. */
function times(factorOf: (target: PublishedTensor, model: Model) => number | readonly number[]): Form {
  return (target, model) => {
    const found = factorOf(target, model);
    const byRow = typeof found === "number" ? undefined : found;
    if (found === 1 || byRow?.every((factor) => factor === 1)) return target;
    const factor = (row: number): number => (byRow === undefined ? (found as number) : byRow[row]!);
    return alsoValues(target, {
      toFile(values, { row, k }) {
        for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor(row + Math.floor(i / k));
      },
      fromFile(values, { row, k }) {
        for (let i = 0; i < values.length; i++) values[i] = values[i]! / factor(row + Math.floor(i / k));
      },
    });
  };
}

const mixerOf = (target: PublishedTensor, model: Model, kind: "mamba2" | "attention"): ResolvedMixer =>
  model.resolved.layers[layerOf(target)]!.mixers.find((mixer) => mixer.kind === kind)!;

/** What stands before the projections of a mixer and in them, a factor a row. */
function inputFactors(target: PublishedTensor, model: Model): readonly number[] {
  const { inputMultiplier, projections } = mixerOf(target, model, "mamba2");
  const rows = target.shape[0]!;
  const { factors } = projections.in_proj ?? {};
  const own = factors === undefined ? Array<number>(rows).fill(1) : factorsByRow(factors, rows, "in_proj");
  return own.map((factor) => factor * inputMultiplier);
}

/** Keys also take the factor on the scores. */
function keyFactor(target: PublishedTensor, model: Model): number {
  const { inputMultiplier, config } = mixerOf(target, model, "attention");
  const { softmaxScale, headDim } = config as AttentionMixerConfig;
  return inputMultiplier * Number((softmaxScale * headDim ** 0.5).toPrecision(15));
}

const mlp = (setting: "gateMultiplier" | "outputMultiplier"): Form =>
  times((target, model) => model.resolved.layers[layerOf(target)]!.mlp![setting]);
const ofAttention = (setting: "inputMultiplier" | "outputMultiplier"): Form =>
  times((target, model) => mixerOf(target, model, "attention")[setting]);

/** Falcon-H1: Mamba-2 and attention side by side in each layer. */
export const falconH1: GgufFamily = ggufFamily({
  architecture: NAME,
  // Without ".weight" here alone.
  weights: { ...mamba2Weights, ...attentionWeights, ...mlpWeights, "layers.*.norm2.weight": "blk.*.ffn_norm" },
  forms: {
    ...mamba2Forms,
    "token_embd.weight": [
      times((_, { resolved: { encoder } }) => (encoder.kind === "embedding" ? (encoder.multiplier ?? 1) : 1)),
    ],
    "output.weight": [times((_, { resolved: { head } }) => (head.kind === "language" ? (head.multiplier ?? 1) : 1))],
    "blk.*.ssm_in.weight": [times(inputFactors)],
    "blk.*.ssm_out.weight": [times((target, model) => mixerOf(target, model, "mamba2").outputMultiplier)],
    "blk.*.attn_q.weight": [ofAttention("inputMultiplier")],
    "blk.*.attn_k.weight": [times(keyFactor)],
    "blk.*.attn_v.weight": [ofAttention("inputMultiplier")],
    "blk.*.attn_output.weight": [ofAttention("outputMultiplier")],
    "blk.*.ffn_gate.weight": [mlp("gateMultiplier")],
    "blk.*.ffn_down.weight": [mlp("outputMultiplier")],
  },
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, "falcon_h1");
    const { attention } = readAttention(fields, dModel, nLayer, "rotary");
    if (attention === undefined) throw fields.error("attention.head_count_kv", "must be above 0");
    const mixers = [
      { kind: "mamba2", ...readMamba2(fields, dModel, normEps) },
      { kind: "attention", ...attention },
    ] as const;
    const hidden = fields.integer("feed_forward_length", undefined);
    return { ...model, mlp: { hidden }, layers: Array.from({ length: nLayer }, () => ({ mixers })) };
  },
  metadata(model) {
    const kinds = model.layers.map(({ mixers }) => mixers.map(({ kind }) => kind).join());
    expressible(
      NAME,
      kinds.every((both) => both === "mamba2,attention"),
      "layers",
      kinds,
    );
    const { head, residualMultiplier } = model;
    expressible(NAME, residualMultiplier === 1, "residualMultiplier", residualMultiplier);
    for (const { mixers } of model.layers)
      for (const { projections } of mixers)
        for (const [name, { factors, bias }] of Object.entries(projections))
          expressible(NAME, (factors === undefined || name === "in_proj") && bias !== true, `projections.${name}`, {
            bias,
          });
    // One table cannot hold two factors.
    const tied = head.kind === "language" && head.tie === true;
    const { encoder } = model;
    const factors = [encoder.kind === "embedding" && encoder.multiplier, head.kind === "language" && head.multiplier];
    expressible(NAME, !tied || (factors[0] || 1) === (factors[1] || 1), "multipliers of a tied embedding", factors);
    return {
      ...writeShared(NAME, model, { factors: true }),
      ...writeMlp(NAME, model, true),
      ...writeMamba2(NAME, model, { noNorm: true }),
      ...writeAttention(NAME, model, { positions: "rotary", scale: "weights" }),
    };
  },
});
