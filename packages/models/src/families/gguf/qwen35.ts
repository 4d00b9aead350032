import type { ConfigFields } from "../../config/fields.ts";
import type { GatedDeltaMixerConfig } from "../../mixers/gatedDelta/config.ts";
import { gatedDeltaSchema } from "../../mixers/gatedDelta/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel } from "../../model/config.ts";
import type { Model } from "../../model/model.ts";
import { expectPlainLayers, expressible, sharedSettings } from "../family.ts";
import type { PublishedTensor, WeightRules } from "../weightNames.ts";
import { attentionWeights, mlpWeights, readAttention, writeAttention, writeMlp } from "./attention.ts";
import { alsoValues, aroundOne, decay, layerOf, reordered, squeezed, type Form } from "./forms.ts";
import {
  expectKeys,
  ggufFamily,
  int32s,
  readShared,
  uint32,
  writeShared,
  type GgufFamily,
  type GgufMetadata,
} from "./ggufFamily.ts";

const NAME = "qwen35";
/** Which layers have no attention; without the key, all but every fourth. */
const RECURRENT = "attention.recurrent_layers";
const INTERVAL = "full_attention_interval";
const SECTIONS = "rope.dimension_sections";
const keys: Readonly<Record<string, string>> = {
  dConv: "ssm.conv_kernel",
  dState: "ssm.state_size",
  nHeads: "ssm.time_step_rank",
  nHeadsKey: "ssm.group_count",
};

const deltaOf = (target: PublishedTensor, model: Model): GatedDeltaMixerConfig =>
  model.resolved.layers[layerOf(target)]!.mixers[0]!.config as GatedDeltaMixerConfig;

/** Heads of values lie key by key with us, `k r + j`; in the file one of each key, then the next, `j nKeys + k`. */
function fromFileHead(head: number, { nHeads, nHeadsKey }: GatedDeltaMixerConfig): number {
  const [j, k] = [Math.floor(head / nHeadsKey), head % nHeadsKey];
  return k * (nHeads / nHeadsKey) + j;
}

/** Rows of the last so many heads of values in the file's order; what is before them stays. */
const tiledRows =
  (width: (config: GatedDeltaMixerConfig) => number): Form =>
  (target, model) => {
    const config = deltaOf(target, model);
    if (config.nHeads === config.nHeadsKey) return target;
    const size = width(config);
    return reordered(target, (rows) => {
      const start = rows - config.nHeads * size;
      return Array.from({ length: rows }, (_, row) => {
        if (row < start) return row;
        const head = Math.floor((row - start) / size);
        return start + fromFileHead(head, config) * size + ((row - start) % size);
      });
    });
  };

/** The same for the columns of the projection back. */
const tiledColumns: Form = (target, model) => {
  const config = deltaOf(target, model);
  if (config.nHeads === config.nHeadsKey) return target;
  const { headDim } = config;
  const move = (values: Float32Array | Float64Array, k: number, out: boolean): void => {
    for (let row = 0; row < values.length; row += k) {
      const before = values.slice(row, row + k);
      for (let i = 0; i < k; i++) {
        const ours = fromFileHead(Math.floor(i / headDim), config) * headDim + (i % headDim);
        if (out) values[row + i] = before[ours]!;
        else values[row + ours] = before[i]!;
      }
    }
  };
  return alsoValues(target, {
    toFile: (values, { k }) => move(values, k, true),
    fromFile: (values, { k }) => move(values, k, false),
  });
};

const values = tiledRows(({ headDim }) => headDim);
const heads = tiledRows(() => 1);

/** Names of the weights of such a model, with a gated MLP in each layer. */
export const qwen35Weights: WeightRules = {
  ...attentionWeights,
  "layers.*.attention.in_proj": {
    "blk.*.attn_q": [["q", "outputGate"]],
    "blk.*.attn_k": ["k"],
    "blk.*.attn_v": ["v"],
  },
  ...mlpWeights,
  "layers.*.norm2": "blk.*.post_attention_norm",
  "layers.*.gatedDelta.in_proj": {
    "blk.*.attn_qkv": ["q", "k", "v"],
    "blk.*.attn_gate": ["z"],
    "blk.*.ssm_beta": ["b"],
    "blk.*.ssm_alpha": ["a"],
  },
  "layers.*.gatedDelta.conv1d": "blk.*.ssm_conv1d",
  "layers.*.gatedDelta.dt_bias": "blk.*.ssm_dt.bias",
  "layers.*.gatedDelta.A_log": "blk.*.ssm_a",
  "layers.*.gatedDelta.norm": "blk.*.ssm_norm",
  "layers.*.gatedDelta.out_proj": "blk.*.ssm_out",
};
export const qwen35Forms: Readonly<Record<string, readonly Form[]>> = {
  "blk.*.attn_qkv.weight": [values],
  "blk.*.attn_gate.weight": [values],
  "blk.*.ssm_beta.weight": [heads],
  "blk.*.ssm_alpha.weight": [heads],
  "blk.*.ssm_conv1d.weight": [values, squeezed],
  "blk.*.ssm_dt.bias": [heads],
  "blk.*.ssm_a": [heads, decay],
  "blk.*.ssm_out.weight": [tiledColumns],
  "blk.*.attn_norm.weight": [aroundOne],
  "blk.*.post_attention_norm.weight": [aroundOne],
  "blk.*.attn_q_norm.weight": [aroundOne],
  "blk.*.attn_k_norm.weight": [aroundOne],
  "output_norm.weight": [aroundOne],
};

/** A model of such layers, but for its MLPs. @param family what it is, where it is saved for other libraries */
export function readQwen35(fields: ConfigFields, family: string): ModelConfig {
  expectKeys(fields, keys);
  const { dModel, nLayer, normEps, model } = readShared(fields, family);
  if (fields.integer("nextn_predict_layers", 0, { min: 0 }) !== 0)
    throw fields.error("nextn_predict_layers", "must be 0: layers that predict further tokens are not read");
  const norms = { qkNorm: "head", qkNormEps: normEps, qkNormOffset: 1, outputGate: true } as const;
  const { attention } = readAttention(fields, dModel, nLayer, "rotary", norms);
  const headDim = fields.integer("ssm.state_size", undefined);
  const nHeads = fields.integer("ssm.time_step_rank", undefined, { max: 65536 });
  if (fields.integer("ssm.inner_size", undefined) !== headDim * nHeads)
    throw fields.error("ssm.inner_size", `must be ssm.state_size times ssm.time_step_rank = ${headDim * nHeads}`);
  const defaults = { headDim, mixerNormEps: normEps, aInitRange: [0.01, 16] } as const;
  const delta = gatedDeltaSchema.read(fields, dModel, { names: (setting) => keys[setting], defaults });
  const interval = fields.integer(INTERVAL, 4);
  const recurrent = fields.integers(
    RECURRENT,
    Array.from({ length: nLayer }, (_, i) => ((i + 1) % interval === 0 ? 0 : 1)),
  );
  if (recurrent.length !== nLayer) throw fields.error(RECURRENT, `must have block_count = ${nLayer} entries`);
  if (attention === undefined && recurrent.includes(0)) throw fields.error("attention.head_count_kv", "must not be 0");
  return {
    ...model,
    normOffset: 1,
    layers: recurrent.map((without): LayerSettings =>
      without > 0 ? { kind: "gatedDelta", ...delta } : { kind: "attention", ...attention },
    ),
  };
}

/** Inverse of `readQwen35`. @throws ArgumentError for what it cannot say. */
export function writeQwen35(architecture: string, model: ResolvedModel): GgufMetadata {
  expectPlainLayers(architecture, model, ["gatedDelta", "attention"]);
  const delta = sharedSettings<GatedDeltaMixerConfig>(architecture, model, "gatedDelta");
  expressible(architecture, delta !== undefined, "layers", "no Gated DeltaNet");
  const { nHeads, nHeadsKey, headDim, dState, dConv, mixerNormEps, negativeEigenvalues } = delta!;
  expressible(architecture, dState === headDim, "dState", dState);
  expressible(architecture, mixerNormEps === model.normEps, "mixerNormEps", mixerNormEps);
  expressible(architecture, !negativeEigenvalues, "negativeEigenvalues", negativeEigenvalues);
  const attention = writeAttention(architecture, model, { positions: "rotary", qkNorm: "head", outputGate: true });
  const rotated = attention["rope.dimension_count"]?.value ?? 0;
  const kinds = model.layers.map(({ mixers: [mixer] }) => mixer!.kind);
  return {
    ...writeShared(architecture, model, { normOffset: 1 }),
    ...attention,
    "attention.head_count_kv": sameEverywhere(attention["attention.head_count_kv"]!),
    [RECURRENT]: {
      type: "array",
      items: "bool",
      value: Uint8Array.from(kinds, (kind) => Number(kind !== "attention")),
    },
    [SECTIONS]: int32s(sections(Number(rotated) / 2)),
    "ssm.conv_kernel": uint32(dConv),
    "ssm.inner_size": uint32(nHeads * headDim),
    "ssm.state_size": uint32(headDim),
    "ssm.time_step_rank": uint32(nHeads),
    "ssm.group_count": uint32(nHeadsKey),
  };
}

/** Qwen3.5: three layers of Gated DeltaNet, then one of gated attention, an MLP in each. */
export const qwen35: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: qwen35Weights,
  forms: qwen35Forms,
  read(fields) {
    const mlp = { hidden: fields.integer("feed_forward_length", undefined) };
    return { ...readQwen35(fields, "qwen3_5_text"), mlp };
  },
  metadata: (model) => ({ ...writeQwen35(NAME, model), ...writeMlp(NAME, model) }),
});

/** Positions of time, height and width take the angles of a head in turns. Of text they are one and the same; an angle that has none would stand still. */
const sections = (angles: number): number[] => [0, 1, 2].map((i) => Math.ceil((angles - i) / 3)).concat(0);

/** This architecture counts heads the same in all layers. */
function sameEverywhere(heads: ReturnType<typeof uint32>): ReturnType<typeof uint32> {
  return heads.type === "array" ? uint32(Math.max(...Array.from(heads.value as Int32Array))) : heads;
}
