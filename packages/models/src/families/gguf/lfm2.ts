import { shortConvSchema, type ShortConvConfig } from "../../mixers/shortConv/config.ts";
import type { ConfigFields } from "../../config/fields.ts";
import type { MixerSettings, ResolvedModel } from "../../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import type { WeightRules } from "../weightNames.ts";
import { attentionWeights, mlpWeights, readAttention, writeAttention, writeMlp } from "./attention.ts";
import { squeezed, type Form } from "./forms.ts";
import { ggufFamily, readShared, uint32, writeShared, type GgufFamily, type GgufMetadata } from "./ggufFamily.ts";

const NAME = "lfm2";
const TAPS = "shortconv.l_cache";

/** Names of its weights but for those of the MLPs' kinds that only some models have. */
export const lfm2Weights: WeightRules = {
  // Named so by mistake once, and kept.
  norm_f: "token_embd_norm",
  "layers.*.shortConv.in_proj": "blk.*.shortconv.in_proj",
  "layers.*.shortConv.conv1d": "blk.*.shortconv.conv",
  "layers.*.shortConv.out_proj": "blk.*.shortconv.out_proj",
  ...attentionWeights,
  ...mlpWeights,
};
export const lfm2Forms: Readonly<Record<string, readonly Form[]>> = { "blk.*.shortconv.conv.weight": [squeezed] };

/** Such a model but for its MLPs. */
export function readLfm2(
  fields: ConfigFields,
  family: string,
): { readonly model: ReturnType<typeof readShared>["model"]; readonly layers: readonly MixerSettings[] } {
  const { dModel, nLayer, normEps, model } = readShared(fields, family);
  const norms = { qkNorm: "head", qkNormEps: normEps } as const;
  const { attends, attention } = readAttention(fields, dModel, nLayer, "rotary", norms);
  const dConv = fields.integer(TAPS, undefined, { max: 256 });
  const conv = { kind: "shortConv", ...shortConvSchema.resolve(dModel, { dConv }) } as const;
  return { model, layers: attends.map((attend) => (attend ? { kind: "attention", ...attention } : conv)) };
}

/** Inverse of `readLfm2`. @throws ArgumentError for what it cannot say. */
export function writeLfm2(architecture: string, model: ResolvedModel): GgufMetadata {
  const conv = sharedSettings<ShortConvConfig>(architecture, model, "shortConv");
  expressible(architecture, conv === undefined || !conv.useBias, "useBias", conv?.useBias);
  return {
    ...writeAttention(architecture, model, { positions: "rotary", qkNorm: "head" }),
    [TAPS]: uint32(conv?.dConv ?? 3),
  };
}

/** LFM2: gated short convolutions, attention with normed queries and keys in some layers, a gated MLP in each. */
export const lfm2: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: lfm2Weights,
  forms: lfm2Forms,
  read(fields) {
    const { model, layers } = readLfm2(fields, NAME);
    return { ...model, mlp: { hidden: fields.integer("feed_forward_length", undefined) }, layers };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["shortConv", "attention"]);
    return { ...writeShared(NAME, model), ...writeMlp(NAME, model), ...writeLfm2(NAME, model) };
  },
});
