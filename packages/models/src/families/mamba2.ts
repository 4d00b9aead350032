import { ArgumentError } from "@statespace/core";
import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import { mamba2Schema, type Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings, type Family, type FamilyOptions } from "./family.ts";
import { mambaAliases, mambaWeights } from "./mamba.ts";
import { expectNoExtras, formatTransformersJson, isModelType, readShared, writeShared } from "./transformers.ts";

const NAME = "mamba2";
const EPS = "layer_norm_epsilon";
const DEFAULTS = {
  vocabSize: 32768,
  dModel: 4096,
  nLayer: 64,
  bos: 0,
  eos: 2,
  pad: 1,
  tie: false,
  initializerRange: 0.1,
  eps: [EPS, 1e-5],
} as const;
const HEADS = { nHeads: 128, headDim: 64, nGroups: 8 };
const dialect = mamba2Schema.names("transformers");
/** The width is that of expand alone here. */
const names = (setting: string): string | undefined => (setting === "dInner" ? undefined : dialect(setting));

/** Heads fill expand * hidden_size, in the words of this family's files. */
function checkHeads(fields: ConfigFields, dInner: number): void {
  const [nHeads, headDim, nGroups] = [
    fields.integer("num_heads", HEADS.nHeads, { max: 65536 }),
    fields.integer("head_dim", HEADS.headDim, { max: 65536 }),
    fields.integer("n_groups", HEADS.nGroups, { max: 65536 }),
  ];
  if (nHeads * headDim !== dInner)
    throw fields.error("num_heads", `times head_dim (${headDim}) must be expand * hidden_size = ${dInner}`);
  if (fields.has("intermediate_size") && fields.integer("intermediate_size", dInner) !== dInner)
    throw fields.error("intermediate_size", `must be expand * hidden_size = ${dInner}`);
  if (nHeads % nGroups !== 0) throw fields.error("n_groups", `must divide num_heads = ${nHeads}`);
}

/** Weights of Codestral-Mamba's sizes were trained with mamba_ssm, which norms each group of channels; transformers' code norms all of them together. */
function isCodestral({ dModel, dInner, nHeads, nGroups, dState }: Mamba2MixerConfig, nLayer: number): boolean {
  return [dModel, dInner, nHeads, nGroups, dState, nLayer].join() === "4096,8192,128,8,128,64";
}

function readNormGroups(
  fields: ConfigFields,
  { normGroups }: FamilyOptions,
  config: Mamba2MixerConfig,
  nLayer: number,
): number {
  const { dInner, nGroups } = config;
  if (normGroups !== undefined && normGroups !== "all" && normGroups !== "groups")
    throw new ArgumentError(`normGroups must be "all" or "groups", got ${JSON.stringify(normGroups)}`);
  // A file without sizes is of the class, not of those weights.
  const codestral = fields.has("hidden_size") && fields.has("n_groups") && isCodestral(config, nLayer);
  const groups = normGroups === undefined ? codestral : normGroups === "groups";
  if (nGroups > 1 && normGroups === undefined)
    fields.notes.push(
      groups
        ? `the gated norm is over each of ${nGroups} groups, as mamba_ssm has it, with which weights of these sizes were trained; { normGroups: "all" } is transformers' way`
        : `the gated norm is over all channels, as transformers has it; { normGroups: "groups" } is right for weights trained with mamba_ssm`,
    );
  return groups ? dInner / nGroups : dInner;
}

/** Mamba-2 as Hugging Face transformers keeps it (arXiv 2405.21060). */
export const mamba2: Family = {
  name: NAME,
  weights: mambaWeights,
  aliases: mambaAliases,
  stringify: formatTransformersJson,
  detect: (config) => isModelType(config, NAME),
  read(fields: ConfigFields, options: FamilyOptions): ModelConfig {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME, DEFAULTS);
    const dInner = Math.floor(fields.number("expand", 2, { min: 0, above: true, max: 1024 }) * dModel);
    checkHeads(fields, dInner);
    // transformers' mixer always norms, after the gate, whatever rms_norm and norm_before_gate say.
    const defaults = { ...HEADS, dInner, dState: 128, chunkSize: 256, mixerNormEps: normEps };
    const config = mamba2Schema.read(fields, dModel, { names, defaults });
    const normGroupSize = readNormGroups(fields, options, config, nLayer);
    return { ...model, layers: Array.from({ length: nLayer }, () => ({ kind: "mamba2", ...config, normGroupSize })) };
  },
  write(model: ResolvedModel, dtype: FloatStorage): JsonObject {
    expectPlainLayers(NAME, model, ["mamba2"]);
    expectNoExtras(NAME, model);
    const config = sharedSettings<Mamba2MixerConfig>(NAME, model, "mamba2")!;
    const { dInner, dModel } = config;
    const demand = (ok: boolean, setting: keyof Mamba2MixerConfig): void =>
      expressible(NAME, ok, setting, config[setting]);
    demand(Number.isInteger(dInner / dModel), "dInner");
    demand(config.mixerNorm, "mixerNorm");
    demand(!config.normBeforeGate, "normBeforeGate");
    const ofGroups = isCodestral(config, model.layers.length) ? dInner / config.nGroups : dInner;
    demand(config.normGroupSize === ofGroups, "normGroupSize");
    demand(config.mixerNormEps === model.normEps, "mixerNormEps");
    demand(!config.dHasHeadDim, "dHasHeadDim");
    return {
      ...writeShared(model, NAME, "Mamba2ForCausalLM", EPS, dtype),
      ...mamba2Schema.write(config, names),
      expand: dInner / dModel,
      rms_norm: true,
      residual_in_fp32: model.residualInFp32,
      // See mamba.ts.
      rescale_prenorm_residual: false,
    };
  },
};
