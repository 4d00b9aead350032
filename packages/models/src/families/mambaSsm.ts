import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { attentionSchema } from "../mixers/attention/config.ts";
import { mambaSchema } from "../mixers/mamba/config.ts";
import { mamba2Schema } from "../mixers/mamba2/config.ts";
import { mamba3Schema } from "../mixers/mamba3/config.ts";
import type { LayerSettings, MixerSettings, ModelConfig } from "../model/config.ts";
import type { Family, FamilyOptions } from "./family.ts";
import { mambaAliases, mambaWeights } from "./mamba.ts";
import { writeMambaSsm } from "./mambaSsmWriter.ts";

/** mamba_ssm fixes the epsilon of every norm. */
export const NORM_EPS = 1e-5;

/** The mixers that a config's `ssm_cfg.layer` names. */
const readers = { Mamba1: readMamba1, Mamba2: readMamba2, Mamba3: readMamba3 };

/**
 * Models of the `mamba_ssm` package of the papers' authors: Mamba, Mamba-2, Mamba-3, and hybrids of them with attention.
 * An unknown key is refused, since the mixer's constructor refuses it.
 */
export const mambaSsm: Family = {
  name: "mamba_ssm",
  weights: { ...mambaWeights, encoder: "backbone.embedding" },
  // Its from_pretrained reads this file alone, strictly: a tied head has both of its names.
  archive: { format: "pytorch", tied: { "lm_head.weight": "backbone.embedding.weight" } },
  aliases: Object.fromEntries(Object.entries(mambaAliases).map(([own, theirs]) => [theirs, own])),
  // Converted checkpoints keep these keys beside transformers' own, so model_type decides.
  detect: ({ model_type, d_model, n_layer }) =>
    model_type === undefined && d_model !== undefined && n_layer !== undefined,
  read(fields: ConfigFields, options: FamilyOptions): ModelConfig {
    const ssm = fields.object("ssm_cfg");
    const kind = ssm.choice("layer", ["Mamba1", "Mamba2", "Mamba3"], "Mamba1");
    ssm.ignore(
      "layer_idx",
      "use_fast_path",
      "use_mem_eff_path",
      "process_group",
      "sequence_parallel",
      "device",
      "dtype",
    );
    const { model, dModel, nLayer, attnLayers } = readModel(fields);
    const attention = attnLayers.length === 0 ? undefined : readAttention(fields.object("attn_cfg"), dModel);
    const mixer: LayerSettings = readers[kind](ssm, dModel, options);
    ssm.rejectUnknown();
    const layers = Array.from({ length: nLayer }, (_, i) => (attnLayers.includes(i) ? attention! : mixer));
    return { ...model, layers };
  },
  write: (model): JsonObject => writeMambaSsm(model),
};

function readModel(fields: ConfigFields): {
  model: Omit<ModelConfig, "layers">;
  dModel: number;
  nLayer: number;
  attnLayers: readonly number[];
} {
  const multiple = fields.integer("pad_vocab_size_multiple", 8, { max: 65536 });
  const vocabSize = Math.ceil(fields.integer("vocab_size", 50277) / multiple) * multiple;
  const dModel = fields.integer("d_model", 2560);
  const nLayer = fields.integer("n_layer", 64, { max: 4096 });
  fields.boolean("fused_add_norm", true); // how it is computed, not what
  const attnLayers = fields.integers("attn_layer_idx", [], { max: nLayer - 1 });
  const hidden = Math.ceil(fields.integer("d_intermediate", 0, { min: 0 }) / 128) * 128; // the gated MLP pads its width
  const model = {
    modelType: "statespace",
    family: "mamba_ssm",
    dModel,
    encoder: { kind: "embedding", vocabSize },
    norm: fields.boolean("rms_norm", true) ? "rms" : "layer",
    normEps: NORM_EPS,
    residualInFp32: fields.boolean("residual_in_fp32", true),
    head: { kind: "language", tie: fields.boolean("tie_embeddings", true) },
    // The dialect leaves token ids to the tokenizer.
    bosTokenId: fields.tokenId("bos_token_id", null, vocabSize),
    eosTokenIds: fields.tokenIds("eos_token_id", null, vocabSize),
    padTokenId: fields.tokenId("pad_token_id", null, vocabSize),
    initializerRange: 0.02,
    rescalePrenormResidual: true,
    ...(hidden === 0 ? {} : { mlp: hidden }),
  } as const;
  return { model, dModel, nLayer, attnLayers };
}

function readAttention(fields: ConfigFields, dModel: number): MixerSettings {
  const nHeads = fields.integer("num_heads", undefined, { max: 65536 });
  const nHeadsKv = fields.integer("num_heads_kv", nHeads, { max: 65536 });
  if (nHeads % nHeadsKv !== 0) throw fields.error("num_heads_kv", `must divide num_heads = ${nHeads}`);
  if (!fields.has("head_dim") && dModel % nHeads !== 0)
    throw fields.error("num_heads", `must divide d_model = ${dModel}`);
  const defaults = { useQkvBias: true, useOutBias: true, causal: false, rotaryDim: 0 };
  const config = attentionSchema.read(fields, dModel, { names: attentionSchema.names("mamba_ssm"), defaults });
  fields.ignore("layer_idx", "device", "dtype");
  fields.rejectUnknown();
  return { kind: "attention", ...config, mlpDim: Math.ceil(config.mlpDim / 256) * 256 }; // padded, as the module pads it
}

/** The inner width, and heads that fill it, in the words of these files. */
function readWidth(ssm: ConfigFields, dModel: number): number {
  const dInner = Math.floor(ssm.number("expand", 2, { min: 0, above: true, max: 1024 }) * dModel);
  if (dInner < 1) throw ssm.error("expand", "must leave at least one channel");
  return dInner;
}

function readHeads(ssm: ConfigFields, dInner: number): { dInner: number; headDim: number; nGroups: number } {
  const headDim = ssm.integer("headdim", 64, { max: 65536 });
  if (dInner % headDim !== 0) throw ssm.error("headdim", `must divide expand * d_model = ${dInner}`);
  const nGroups = ssm.integer("ngroups", 1, { max: 65536 });
  if ((dInner / headDim) % nGroups !== 0)
    throw ssm.error("ngroups", `must divide the number of heads = ${dInner / headDim}`);
  return { dInner, headDim, nGroups };
}

function readMamba1(ssm: ConfigFields, dModel: number): MixerSettings {
  const defaults = { dInner: readWidth(ssm, dModel) };
  return { kind: "mamba", ...mambaSchema.read(ssm, dModel, { names: mambaSchema.names("mamba_ssm"), defaults }) };
}

function readMamba2(ssm: ConfigFields, dModel: number): MixerSettings {
  const heads = readHeads(ssm, readWidth(ssm, dModel));
  const { dInner, nGroups } = heads;
  if (ssm.has("d_ssm") && !ssm.is("d_ssm", dInner))
    throw ssm.error("d_ssm", `must be expand * d_model = ${dInner} (a gated MLP beside the SSM is not supported)`);
  ssm.ignore("conv_init");
  const defaults = { ...heads, dState: 128, chunkSize: 256, mixerNormEps: NORM_EPS, normGroupSize: dInner / nGroups };
  return { kind: "mamba2", ...mamba2Schema.read(ssm, dModel, { names: mamba2Schema.names("mamba_ssm"), defaults }) };
}

function readMamba3(ssm: ConfigFields, dModel: number, options: FamilyOptions): MixerSettings {
  const heads = readHeads(ssm, readWidth(ssm, dModel));
  const ropeFraction = ssm.number("rope_fraction", 0.5);
  if (ropeFraction !== 0.5 && ropeFraction !== 1) throw ssm.error("rope_fraction", "must be 0.5 or 1");
  const dState = ssm.integer("d_state", 128);
  if ((dState * ropeFraction) / 2 < 1) throw ssm.error("d_state", "must leave at least one rotation angle");
  const rank = ssm.integer("mimo_rank", 4, { max: 4096 });
  ssm.ignore("fuse_pregate_headwise_norm", "dropout", "n_layer"); // how it is computed, or absorbed unused
  const { aActivation } = options;
  const defaults = {
    ...heads,
    dState,
    ropeFraction,
    chunkSize: 64,
    ...(ssm.boolean("is_mimo", false) ? { mimoRank: rank } : {}),
    ...(aActivation === undefined ? {} : { aActivation }),
  };
  return { kind: "mamba3", ...mamba3Schema.read(ssm, dModel, { names: mamba3Schema.names("mamba_ssm"), defaults }) };
}
