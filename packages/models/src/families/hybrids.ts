import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Names } from "../config/schema.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { ResolvedModel } from "../model/config.ts";
import { expressible, sharedSettings } from "./family.ts";
import { readRope, writeRope } from "./rope.ts";

/** Names that transformers' hybrids of Mamba-2 and attention have for the settings of Mamba-2. */
const ssm = {
  expand: "mamba_expand",
  nHeads: "mamba_n_heads",
  headDim: "mamba_d_head",
  nGroups: "mamba_n_groups",
  dState: "mamba_d_state",
  dConv: "mamba_d_conv",
  chunkSize: "mamba_chunk_size",
  useBias: "mamba_proj_bias",
  useConvBias: "mamba_conv_bias",
  timeStepLimit: "time_step_limit",
  timeStepMin: "time_step_min",
  timeStepMax: "time_step_max",
};
const attentionNames = attentionSchema.names(undefined, {
  nHeads: "num_attention_heads",
  nHeadsKv: "num_key_value_heads",
  headDim: "head_dim",
  useQkvBias: "attention_bias",
  useOutBias: "attention_bias",
});

/** Where such files have q, k, v and the projection back of attention, under the name of the module. */
export function attentionWeights(
  theirs: string,
  ours = "layers.*.attention",
): Record<string, string | Record<string, string[]>> {
  return {
    [`${ours}.in_proj`]: { [`${theirs}.q_proj`]: ["q"], [`${theirs}.k_proj`]: ["k"], [`${theirs}.v_proj`]: ["v"] },
    [`${ours}.out_proj`]: `${theirs}.o_proj`,
  };
}

/** Settings of Mamba-2 as such a config has them. @param own names beside the usual ones */
export function readSsm(
  fields: ConfigFields,
  dModel: number,
  defaults: Partial<Mamba2MixerConfig>,
  own: Readonly<Record<string, string>> = {},
): Mamba2MixerConfig {
  const known = mamba2Schema.names(undefined, { ...ssm, ...own });
  const names: Names = (setting) =>
    setting === "headDim" && fields.is("mamba_d_head", "auto") ? undefined : known(setting);
  return mamba2Schema.read(fields, dModel, {
    names,
    defaults: { nHeads: 128, dState: 256, chunkSize: 256, ...defaults },
  });
}

/** Inverse of `readSsm`. @throws ArgumentError where layers differ */
export function writeSsm(family: string, model: ResolvedModel, own: Readonly<Record<string, string>> = {}): JsonObject {
  const config = sharedSettings<Mamba2MixerConfig>(family, model, "mamba2");
  return config === undefined ? {} : mamba2Schema.write(config, mamba2Schema.names(undefined, { ...ssm, ...own }));
}

/** Settings of attention as such a config has them. */
export function readAttention(
  fields: ConfigFields,
  dModel: number,
  defaults: Partial<AttentionMixerConfig> = {},
  theta = 10000,
): AttentionMixerConfig {
  return attentionSchema.read(fields, dModel, {
    names: attentionNames,
    defaults: { nHeads: 32, ...readRope(fields, theta), ...defaults },
  });
}

/**
 * Inverse of `readAttention`. @throws ArgumentError for what it cannot say.
 * @param own settings that the family has without a word in its config, and looks after itself
 */
export function writeAttention(
  family: string,
  model: ResolvedModel,
  own: readonly (keyof AttentionMixerConfig)[] = [],
): JsonObject {
  const config = sharedSettings<AttentionMixerConfig>(family, model, "attention");
  if (config === undefined) return {};
  const { useQkvBias, useOutBias, dConv, mlpDim, rotaryInterleaved, qkNorm, outputGate, window } = config;
  const ownOut = own.includes("useOutBias");
  expressible(family, ownOut || useQkvBias === useOutBias, "useOutBias", useOutBias);
  expressible(family, dConv === 0 && mlpDim === 0 && !rotaryInterleaved, "attention", {
    dConv,
    mlpDim,
    rotaryInterleaved,
  });
  expressible(family, qkNorm === "none" || own.includes("qkNorm"), "qkNorm", qkNorm);
  expressible(family, !outputGate || own.includes("outputGate"), "outputGate", outputGate);
  expressible(family, config.softCap === undefined, "softCap", config.softCap);
  expressible(family, !config.sinks, "sinks", config.sinks);
  expressible(family, window === 0 || own.includes("window"), "window", window);
  return {
    ...attentionSchema.write(config, (setting) =>
      ownOut && setting === "useOutBias" ? undefined : attentionNames(setting),
    ),
    ...writeRope(config),
  };
}
