import type { JsonObject } from "@statespace/files";
import type { Schema } from "../config/schema.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mambaSchema, type MambaMixerConfig } from "../mixers/mamba/config.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import { mamba3Schema, type Mamba3MixerConfig } from "../mixers/mamba3/config.ts";
import type { ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "./family.ts";

const NAME = "mamba_ssm";
/** mamba_ssm fixes the epsilon of every norm. */
const NORM_EPS = 1e-5;

/** The `config.json` of the mamba_ssm package. @throws ArgumentError naming what it cannot express. */
export function writeMambaSsm(model: ResolvedModel): JsonObject {
  const demand = (ok: boolean, setting: string, got: unknown): void => expressible(NAME, ok, setting, got);
  expectPlainLayers(NAME, model, ["mamba", "mamba2", "mamba3", "attention"]);
  const { encoder, head, layers } = model;
  demand(encoder.kind === "embedding" && head.kind === "language", "head.kind", head.kind);
  demand(model.normEps === NORM_EPS, "normEps", model.normEps);
  demand(model.normOffset === 0, "normOffset", model.normOffset);
  demand(model.residualMultiplier === 1, "residualMultiplier", model.residualMultiplier);
  const hidden = layers[0]!.mlp?.hidden ?? 0;
  for (const { mlp } of layers) {
    const standard = mlp === undefined || (mlp.gated && mlp.activation === "silu" && !mlp.useBias && mlp.experts === 0);
    const factors = (mlp?.gateMultiplier ?? 1) === 1 && (mlp?.outputMultiplier ?? 1) === 1;
    demand(standard && factors && (mlp?.hidden ?? 0) === hidden && hidden % 128 === 0, "mlp", mlp);
  }
  const attention = sharedSettings<AttentionMixerConfig>(NAME, model, "attention");
  const attnLayers = layers.flatMap(({ mixers: [mixer] }, i) => (mixer!.kind === "attention" ? [i] : []));
  return {
    d_model: model.dModel,
    d_intermediate: hidden,
    n_layer: layers.length,
    vocab_size: encoder.kind === "embedding" ? encoder.vocabSize : 0,
    ssm_cfg: writeMixer(model),
    attn_layer_idx: attnLayers,
    attn_cfg: attention === undefined ? {} : attentionSchema.write(attention, attentionSchema.names(NAME)),
    rms_norm: model.norm === "rms",
    residual_in_fp32: model.residualInFp32,
    fused_add_norm: true,
    pad_vocab_size_multiple: 1,
    tie_embeddings: head.kind === "language" && (head.tie ?? false),
  };
}

/** `ssm_cfg`: there is one kind of mixer beside attention. */
function writeMixer(model: ResolvedModel): JsonObject {
  const [mamba1, mamba2, mamba3] = [
    sharedSettings<MambaMixerConfig>(NAME, model, "mamba"),
    sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2"),
    sharedSettings<Mamba3MixerConfig>(NAME, model, "mamba3"),
  ];
  const kinds = [mamba1, mamba2, mamba3].filter((config) => config !== undefined).length;
  expressible(NAME, kinds <= 1, "layers", "several kinds of SSM");
  if (mamba2 !== undefined) return writeMamba2(mamba2);
  if (mamba3 !== undefined) return writeMamba3(mamba3);
  if (mamba1 === undefined) return {};
  expressible(NAME, mamba1.mixerNormEps === undefined, "mixerNormEps", mamba1.mixerNormEps);
  expressible(NAME, mamba1.timeStepInitScheme !== "uniform", "timeStepInitScheme", mamba1.timeStepInitScheme);
  return { layer: "Mamba1", ...fieldsOf(mambaSchema, mamba1) };
}

function fieldsOf<Config extends { readonly dModel: number; readonly dInner: number }, Given extends object>(
  schema: Schema<Config, Given>,
  config: Config,
): JsonObject {
  return { ...schema.write(config, schema.names(NAME)), expand: config.dInner / config.dModel };
}

function writeMamba2(config: Mamba2MixerConfig): JsonObject {
  const { normGroupSize, dInner, nGroups, mixerNormEps, timeStepLimit } = config;
  expressible(NAME, normGroupSize === dInner / nGroups, "normGroupSize", normGroupSize);
  expressible(NAME, mixerNormEps === NORM_EPS, "mixerNormEps", mixerNormEps);
  const { dt_limit: limit, ...fields } = fieldsOf(mamba2Schema, config);
  // Its own default is without an upper bound, which JSON cannot say.
  const bounded = timeStepLimit[0] !== 0 || timeStepLimit[1] !== Infinity;
  expressible(NAME, !bounded || timeStepLimit[1] !== Infinity, "timeStepLimit", timeStepLimit);
  return { layer: "Mamba2", ...fields, ...(bounded ? { dt_limit: limit! } : {}) };
}

function writeMamba3(config: Mamba3MixerConfig): JsonObject {
  const share = (2 * config.nRopeAngles) / config.dState;
  expressible(NAME, share === 0.5 || share === 1, "nRopeAngles", config.nRopeAngles);
  const rank = config.mimo ? { mimo_rank: config.mimoRank } : {};
  return { layer: "Mamba3", ...fieldsOf(mamba3Schema, config), rope_fraction: share, ...rank };
}
