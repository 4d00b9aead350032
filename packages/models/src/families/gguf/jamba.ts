import type { AttentionMixerConfig } from "../../mixers/attention/config.ts";
import type { MambaMixerConfig } from "../../mixers/mamba/config.ts";
import type { LayerSettings, ResolvedModel } from "../../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import { expectMlp, expectMlps, sharedMlp } from "../mlps.ts";
import { attentionWeights, mlpWeights, readAttention, writeAttention } from "./attention.ts";
import { expertWeights, readExperts, writeExperts } from "./experts.ts";
import {
  ggufFamily,
  layersWith,
  readShared,
  uint32,
  writeShared,
  type GgufFamily,
  type GgufMetadata,
} from "./ggufFamily.ts";
import { mambaForms, mambaWeights, readMamba, writeMamba } from "./mambaSettings.ts";

const NAME = "jamba";

/** One width for MLPs and experts; which layers have experts, the tensors tell. */
function writeMlps(model: ResolvedModel): GgufMetadata {
  expectMlps(NAME, model);
  const [dense, mixture] = [sharedMlp(NAME, model, false), sharedMlp(NAME, model, true)];
  const { hidden } = (mixture ?? dense)!;
  expectMlp(NAME, dense, { hidden });
  if (mixture === undefined) return { feed_forward_length: uint32(hidden) };
  const { experts, expertsPerToken } = mixture;
  expectMlp(NAME, mixture, { hidden, experts, expertsPerToken, renormalize: false });
  return { feed_forward_length: uint32(hidden), ...writeExperts(mixture) };
}

/** Jamba: Mamba with norms on delta, B and C, attention without positions in some layers, experts in some. */
export const jamba: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: {
    ...mambaWeights("layers.*.mamba"),
    "layers.*.mamba.dt_norm": "blk.*.ssm_dt_norm",
    "layers.*.mamba.B_norm": "blk.*.ssm_b_norm",
    "layers.*.mamba.C_norm": "blk.*.ssm_c_norm",
    ...attentionWeights,
    ...mlpWeights,
    ...expertWeights,
  },
  forms: mambaForms,
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME);
    const { attends, attention } = readAttention(fields, dModel, nLayer, "none");
    const norms = { mixerNormEps: normEps, mixerNormWeight: true };
    const mamba = { kind: "mamba", ...readMamba(fields, dModel, norms) } as const;
    const hidden = fields.integer("feed_forward_length", undefined);
    const mixes = layersWith(fields, "ffn_gate_inp.weight", nLayer);
    const mixture = mixes.includes(true) ? { hidden, ...readExperts(fields), renormalize: false } : undefined;
    const layers = attends.map((attend, i): LayerSettings => {
      const mixer = attend ? ({ kind: "attention", ...attention } as const) : mamba;
      return Object.assign({}, mixer, { mlp: mixes[i] && mixture !== undefined ? mixture : { hidden } });
    });
    return { ...model, layers };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba", "attention"]);
    const mamba = sharedSettings<MambaMixerConfig>(NAME, model, "mamba");
    const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
    expressible(NAME, mamba !== undefined && attention !== undefined, "layers", "of one kind");
    const norms = [mamba!.mixerNormEps, mamba!.mixerNormWeight];
    expressible(NAME, norms[0] === model.normEps && norms[1] === true, "mixerNormEps, mixerNormWeight", norms);
    // llama.cpp takes the matrices of attention to be square.
    const { nHeads, headDim, useQkvBias, useOutBias } = attention!;
    expressible(NAME, nHeads * headDim === model.dModel, "headDim", headDim);
    expressible(NAME, !useQkvBias && !useOutBias, "useQkvBias", useQkvBias);
    return {
      ...writeShared(NAME, model),
      ...writeMlps(model),
      ...writeMamba(NAME, mamba!),
      ...writeAttention(NAME, model, { positions: "none" }),
    };
  },
});
