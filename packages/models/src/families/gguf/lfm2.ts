import { shortConvSchema, type ShortConvConfig } from "../../mixers/shortConv/config.ts";
import type { LayerSettings } from "../../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { attentionWeights, mlpWeights, readAttention, writeAttention, writeMlp } from "./attention.ts";
import { squeezed } from "./forms.ts";
import { ggufFamily, readShared, uint32, writeShared, type GgufFamily } from "./ggufFamily.ts";

const NAME = "lfm2";
const TAPS = "shortconv.l_cache";

/** LFM2: gated short convolutions, attention with normed queries and keys in some layers, a gated MLP in each. */
export const lfm2: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: {
    // Named so by mistake once, and kept.
    norm_f: "token_embd_norm",
    "layers.*.shortConv.in_proj": "blk.*.shortconv.in_proj",
    "layers.*.shortConv.conv1d": "blk.*.shortconv.conv",
    "layers.*.shortConv.out_proj": "blk.*.shortconv.out_proj",
    ...attentionWeights,
    ...mlpWeights,
  },
  forms: { "blk.*.shortconv.conv.weight": [squeezed] },
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME);
    const norms = { qkNorm: "head", qkNormEps: normEps } as const;
    const { attends, attention } = readAttention(fields, dModel, nLayer, "rotary", norms);
    const dConv = fields.integer(TAPS, undefined, { max: 256 });
    const conv: LayerSettings = { kind: "shortConv", ...shortConvSchema.resolve(dModel, { dConv }) };
    return {
      ...model,
      mlp: { hidden: fields.integer("feed_forward_length", undefined) },
      layers: attends.map((attend) => (attend ? { kind: "attention", ...attention } : conv)),
    };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["shortConv", "attention"]);
    const conv = sharedSettings<ShortConvConfig>(NAME, model, "shortConv");
    expressible(NAME, conv === undefined || !conv.useBias, "useBias", conv?.useBias);
    return {
      ...writeShared(NAME, model),
      ...writeMlp(NAME, model),
      ...writeAttention(NAME, model, { positions: "rotary", qkNorm: "head" }),
      [TAPS]: uint32(conv?.dConv ?? 3),
    };
  },
});
