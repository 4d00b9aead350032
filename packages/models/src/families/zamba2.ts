import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { LayerSettings, ModelConfig, ResolvedModel, SharedSettings } from "../model/config.ts";
import { expressible, sharedSettings, type Family } from "./family.ts";
import { attentionWeights } from "./hybrids.ts";
import { writeRope } from "./rope.ts";
import { activationName, formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";
import { GATED_NORM_EPS, readAttention, readHybrids, readMamba2, ssmNames } from "./zamba2Layers.ts";

const NAME = "zamba2";
const DEFAULTS = {
  vocabSize: 32000,
  dModel: 2560,
  nLayer: 54,
  bos: 1,
  eos: 2,
  pad: 0,
  tie: true,
  initializerRange: 0.02,
  eps: ["rms_norm_eps", 1e-5],
  activations: ["gelu", "silu", "gelu_pytorch_tanh"],
} as const;
const transformer = "model.layers.*.shared_transformer";

/** Zamba2: Mamba-2 layers, before some of which stands one of a few Transformer blocks that they share, with low-rank additions a use. */
export const zamba2: Family = {
  name: NAME,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  weights: {
    encoder: "model.embed_tokens",
    "layers.*.norm": "model.layers.*.input_layernorm",
    "layers.*.mamba2": "model.layers.*.mamba",
    "layers:shared.*.norm": "model.layers.*.mamba_decoder.input_layernorm",
    "layers:shared.*.mamba2": "model.layers.*.mamba_decoder.mamba",
    "layers:shared.*.shared.linear": "model.layers.*.linear",
    "shared.*.norm": `${transformer}.input_layernorm`,
    ...attentionWeights(`${transformer}.self_attn`, "shared.*.attention"),
    ...Object.fromEntries(
      ["q", "k", "v"].flatMap((part) => [
        [`shared.*.attention.in_proj.added.*.${part}.down`, `${transformer}.self_attn.linear_${part}_adapter_list.*.0`],
        [`shared.*.attention.in_proj.added.*.${part}.up`, `${transformer}.self_attn.linear_${part}_adapter_list.*.1`],
      ]),
    ),
    "shared.*.norm2": `${transformer}.pre_ff_layernorm`,
    "shared.*.mlp.fc1": { [`${transformer}.feed_forward.gate_up_proj`]: ["gate", "up"] },
    "shared.*.mlp.fc1.added.*.down": `${transformer}.feed_forward.gate_up_proj_adapter_list.*.0`,
    "shared.*.mlp.fc1.added.*.up": { [`${transformer}.feed_forward.gate_up_proj_adapter_list.*.1`]: ["gate", "up"] },
    "shared.*.mlp.fc2": `${transformer}.feed_forward.down_proj`,
    norm_f: "model.final_layernorm",
    head: "lm_head",
  },
  read(fields: ConfigFields): ModelConfig {
    const { dModel, nLayer, activation, model } = readShared(fields, NAME, DEFAULTS);
    const mamba2 = { kind: "mamba2", ...readMamba2(fields, dModel) } as const;
    const rank = fields.integer("adapter_rank", 128);
    const block: Omit<SharedSettings, "block"> = {
      attention: readAttention(fields, dModel),
      mlp: { hidden: fields.integer("intermediate_size", 4 * dModel), activation, useBias: mamba2.useBias },
      mlpRank: rank,
      attentionRank: fields.boolean("use_shared_attention_adapter", false) ? rank : 0,
    };
    // Where the head is not the embedding, transformers ties nothing: each use then has a block of its own.
    const tied = model.head.tie === true;
    const blocks = tied ? fields.integer("num_mem_blocks", 1) : nLayer;
    let uses = 0;
    const layers = readHybrids(fields, nLayer).map((hybrid): LayerSettings =>
      hybrid ? { ...mamba2, shared: { block: uses++ % blocks, ...block } } : mamba2,
    );
    return { ...model, layers };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    const { layers, dModel } = model;
    const shared = layers.flatMap((layer) => layer.shared ?? []);
    const [first] = shared;
    expressible(NAME, first !== undefined, "layers", "none with a shared block");
    const { attention, mlp, mlpRank, attentionRank } = first!;
    const blocks = 1 + Math.max(...shared.map(({ block }) => block));
    const tied = model.head.kind === "language" && model.head.tie === true;
    expressible(NAME, tied || blocks === shared.length, "head.tie", false);
    const inTurn = shared.every((own, i) => JSON.stringify(own) === JSON.stringify({ ...first, block: i % blocks }));
    expressible(NAME, inTurn, "shared", "blocks that differ, or do not take turns");
    const alone = layers.every(
      ({ mixers, mlp: own }) => own === undefined && mixers.length === 1 && mixers[0]!.kind === "mamba2",
    );
    expressible(NAME, alone, "layers", "others than Mamba-2 without an MLP");
    const ssm = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2")!;
    expressible(NAME, ssm.normGroupSize === ssm.dInner / ssm.nGroups, "normGroupSize", ssm.normGroupSize);
    expressible(NAME, ssm.mixerNormEps === GATED_NORM_EPS && ssm.useConvBias, "mixerNormEps", ssm.mixerNormEps);
    expressible(
      NAME,
      ssm.timeStepLimit[0] === ssm.timeStepMin && ssm.timeStepLimit[1] === Infinity,
      "timeStepLimit",
      ssm.timeStepLimit,
    );
    const { headDim, nHeads, rotaryDim } = attention;
    const ofHalf = attention.softmaxScale === (headDim / 2) ** -0.5 && headDim === Math.floor((2 * dModel) / nHeads);
    expressible(NAME, ofHalf && (rotaryDim === 0 || rotaryDim === headDim), "shared.attention", attention);
    expressible(NAME, mlp.gated && mlp.useBias === ssm.useBias && mlpRank > 0, "shared.mlp", mlp);
    expressible(NAME, attentionRank === 0 || attentionRank === mlpRank, "attentionRank", attentionRank);
    return {
      ...writeShared(model, NAME, "Zamba2ForCausalLM", DEFAULTS.eps[0], dtype),
      ...mamba2Schema.write(ssm, ssmNames),
      mamba_expand: ssm.dInner / dModel,
      hidden_act: activationName(mlp.activation),
      intermediate_size: mlp.hidden,
      num_attention_heads: nHeads,
      num_key_value_heads: attention.nHeadsKv,
      use_mem_rope: rotaryDim > 0,
      ...writeRope(attention),
      layers_block_type: layers.map((layer) => (layer.shared === undefined ? "linear_attention" : "hybrid")),
      num_mem_blocks: blocks,
      adapter_rank: mlpRank,
      use_shared_attention_adapter: attentionRank > 0,
    };
  },
};
