import type { ConfigFields } from "../../config/fields.ts";
import { attentionSchema, type AttentionMixerConfig } from "../../mixers/attention/config.ts";
import type { ResolvedModel } from "../../model/config.ts";
import { expressible, sharedSettings } from "../family.ts";
import type { WeightRules } from "../weightNames.ts";
import { layerOf, reordered, type Form } from "./forms.ts";
import { float32, hasTensor, int32s, perLayer, readSingle, shared, uint32, type GgufMetadata } from "./ggufFamily.ts";

const HEADS_KV = "attention.head_count_kv";

/** Names of the weights of attention. */
export const attentionWeights: WeightRules = {
  "layers.*.attention.in_proj": { "blk.*.attn_q": ["q"], "blk.*.attn_k": ["k"], "blk.*.attn_v": ["v"] },
  "layers.*.attention.q_norm": "blk.*.attn_q_norm",
  "layers.*.attention.k_norm": "blk.*.attn_k_norm",
  "layers.*.attention.out_proj": "blk.*.attn_output",
};

/** Names of the weights of a gated MLP. */
export const mlpWeights: WeightRules = {
  "layers.*.norm2": "blk.*.ffn_norm",
  "layers.*.mlp.fc1": { "blk.*.ffn_gate": ["gate"], "blk.*.ffn_up": ["up"] },
  "layers.*.mlp.fc2": "blk.*.ffn_down",
};

/** Queries and keys that are rotated as pairs of neighbours, where ours are halves: row 2 i and 2 i + 1 of a head are ours i and i + r / 2. */
const pairs: Form = (target, model) => {
  const { config } = model.resolved.layers[layerOf(target)]!.mixers.find(({ kind }) => kind === "attention")!;
  const { headDim, rotaryDim } = config as AttentionMixerConfig;
  // Without positions the order of a head's channels is free; files have this one all the same.
  const turned = rotaryDim === 0 ? headDim - (headDim % 2) : rotaryDim;
  return reordered(target, (rows) =>
    Array.from({ length: rows }, (_, row) => {
      const within = row % headDim;
      return within >= turned ? row : row - within + (within >> 1) + (within & 1) * (turned / 2);
    }),
  );
};

/** How files of architectures with rotation of neighbours have queries and keys. */
export const neighbourForms: Readonly<Record<string, readonly Form[]>> = {
  "blk.*.attn_q.weight": [pairs],
  "blk.*.attn_q.bias": [pairs],
  "blk.*.attn_k.weight": [pairs],
  "blk.*.attn_k.bias": [pairs],
};

/** How an architecture has positions: none, or a part of a head, all of it unless the file says. */
export type Positions = "none" | "rotary";

/** Settings of attention, and which layers have it where the file says so. */
export function readAttention(
  fields: ConfigFields,
  dModel: number,
  nLayer: number,
  positions: Positions,
  defaults: Partial<AttentionMixerConfig> = {},
): { readonly attends: readonly boolean[]; readonly attention: AttentionMixerConfig | undefined } {
  const kv = perLayer(fields, HEADS_KV, nLayer);
  const attends = kv.map((heads) => heads > 0);
  if (!attends.includes(true)) return { attends, attention: undefined };
  const nHeads = shared(fields, "attention.head_count", perLayer(fields, "attention.head_count", nLayer));
  const headDim = fields.integer("attention.key_length", dModel / nHeads, { max: 65536 });
  if (fields.integer("attention.value_length", headDim) !== headDim)
    throw fields.error("attention.value_length", `must be attention.key_length = ${headDim}`);
  const rotaryDim =
    positions === "none" ? 0 : fields.integer("rope.dimension_count", headDim - (headDim % 2), { max: headDim });
  fields.choice("rope.scaling.type", ["none"], "none");
  const scale = readSingle(fields, "attention.scale", 0);
  const attention = attentionSchema.read(fields, dModel, {
    names: () => undefined,
    defaults: {
      nHeads,
      nHeadsKv: shared(fields, HEADS_KV, kv),
      headDim,
      rotaryDim,
      rotaryBase: readSingle(fields, "rope.freq_base", 10000),
      useQkvBias: hasTensor(fields, "blk.*.attn_q.bias"),
      useOutBias: hasTensor(fields, "blk.*.attn_output.bias"),
      ...(scale === 0 ? {} : { softmaxScale: scale }),
      ...defaults,
    },
  });
  return { attends, attention };
}

/** What of attention an architecture has a place for. */
export interface AttentionAllows {
  readonly positions: Positions;
  readonly qkNorm?: "head";
  readonly outputGate?: boolean;
  /** A factor on the scores of its own: a key of the metadata, or multiplied into the keys. */
  readonly scale?: "key" | "weights";
  readonly biases?: boolean;
}

/** Inverse of `readAttention`. @throws ArgumentError for what it cannot say. */
export function writeAttention(architecture: string, model: ResolvedModel, allows: AttentionAllows): GgufMetadata {
  const config = sharedSettings<AttentionMixerConfig>(architecture, model, "attention");
  if (config === undefined) return { "attention.head_count": uint32(0), [HEADS_KV]: uint32(0) };
  const demand = (ok: boolean, setting: keyof AttentionMixerConfig): void =>
    expressible(architecture, ok, setting, config[setting]);
  const { nHeads, nHeadsKv, headDim, rotaryDim, rotaryBase, softmaxScale } = config;
  demand(config.dConv === 0, "dConv");
  demand(config.mlpDim === 0, "mlpDim");
  demand(config.window === 0, "window");
  demand(config.rotaryScaling === undefined, "rotaryScaling");
  demand(rotaryDim === 0 || !config.rotaryInterleaved, "rotaryInterleaved");
  demand(allows.positions === "none" ? rotaryDim === 0 : rotaryDim > 0, "rotaryDim");
  demand(config.qkNorm === (allows.qkNorm ?? "none"), "qkNorm");
  demand(config.qkNorm === "none" || config.qkNormEps === model.normEps, "qkNormEps");
  demand(config.outputGate === (allows.outputGate ?? false), "outputGate");
  demand(allows.biases === true || !(config.useQkvBias || config.useOutBias), "useQkvBias");
  const plain = Math.abs(softmaxScale * headDim ** 0.5 - 1) < 1e-12;
  demand(plain || allows.scale !== undefined, "softmaxScale");
  const attends = model.layers.map(({ mixers }) => mixers.some(({ kind }) => kind === "attention"));
  const everywhere = !attends.includes(false);
  return {
    "attention.head_count": uint32(nHeads),
    [HEADS_KV]: everywhere ? uint32(nHeadsKv) : int32s(attends.map((has) => (has ? nHeadsKv : 0))),
    "attention.key_length": uint32(headDim),
    "attention.value_length": uint32(headDim),
    ...(allows.scale === "key" ? { "attention.scale": float32(softmaxScale) } : {}),
    ...(rotaryDim === 0 ? {} : { "rope.dimension_count": uint32(rotaryDim), "rope.freq_base": float32(rotaryBase) }),
  };
}

/** The width of the gated MLP that every layer has. @throws ArgumentError where it is of another kind. */
export function writeMlp(architecture: string, model: ResolvedModel, factors = false): GgufMetadata {
  const { mlp } = model.layers[0]!;
  const same = model.layers.every((layer) => JSON.stringify(layer.mlp) === JSON.stringify(mlp));
  const dense = mlp !== undefined && mlp.experts === 0 && mlp.gated && mlp.activation === "silu" && !mlp.useBias;
  const plain = same && dense;
  expressible(architecture, plain, "mlp", mlp);
  const unscaled = mlp!.gateMultiplier === 1 && mlp!.outputMultiplier === 1;
  expressible(architecture, unscaled || factors, "mlp", mlp);
  return { feed_forward_length: uint32(mlp!.hidden) };
}
