import type { JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { gatedDeltaSchema, type GatedDeltaMixerConfig } from "../mixers/gatedDelta/config.ts";
import type { LayerSettings, ResolvedModel } from "../model/config.ts";
import { expectPlainLayers, expressible, sharedSettings } from "./family.ts";
import { writeAttention } from "./hybrids.ts";
import { expectMlp, expectMlps, sharedMlp } from "./mlps.ts";

/** Names of layers in both generations of configs. */
const LINEAR = ["linear_attention", "mamba"] as const;
const LAYER_TYPES = [...LINEAR, "full_attention", "attention"] as const;

/** Names that transformers' hybrids of Gated DeltaNet and attention have for the settings of Gated DeltaNet. */
const deltaNames = {
  nHeads: "linear_num_value_heads",
  nHeadsKey: "linear_num_key_heads",
  headDim: "linear_value_head_dim",
  dState: "linear_key_head_dim",
  dConv: "linear_conv_kernel_dim",
};

/** What of Gated DeltaNet only some of them name. */
export type DeltaNames = Readonly<Partial<Record<keyof GatedDeltaMixerConfig, string>>>;

/** Settings of Gated DeltaNet as such a config has them. */
export function readDelta(
  fields: ConfigFields,
  dModel: number,
  defaults: Partial<GatedDeltaMixerConfig>,
  own: DeltaNames = {},
): GatedDeltaMixerConfig {
  const names = gatedDeltaSchema.names(undefined, { ...deltaNames, ...own });
  return gatedDeltaSchema.read(fields, dModel, { names, defaults });
}

/** A layer's type each; without a list every `full_attention_interval`-th layer is attention. */
export function readDeltaLayers(
  fields: ConfigFields,
  nLayer: number,
  delta: LayerSettings,
  attention: LayerSettings,
): readonly LayerSettings[] {
  const interval = fields.integer("full_attention_interval", 4);
  const key = fields.has("layer_types") ? "layer_types" : "layers_block_type";
  if (!fields.has(key)) return Array.from({ length: nLayer }, (_, i) => ((i + 1) % interval === 0 ? attention : delta));
  const types = fields.choices(key, LAYER_TYPES, LINEAR[0], nLayer);
  if (types.length !== nLayer) throw fields.error(key, `must have num_hidden_layers = ${nLayer} entries`);
  return types.map((type) => ((LINEAR as readonly string[]).includes(type) ? delta : attention));
}

/**
 * The layers of a model in the words of such a config. @throws ArgumentError for what it cannot say.
 * @param own names of a family's own; where it has the norms of its layers of attention; whether it looks after experts itself
 */
export function writeDeltaLayers(
  family: string,
  model: ResolvedModel,
  own: { readonly names?: DeltaNames; readonly attentionNorms?: "before" | "after"; readonly mixtures?: boolean } = {},
): JsonObject {
  expectPlainLayers(family, model, ["gatedDelta", "attention"], { attention: own.attentionNorms ?? "before" });
  const delta = sharedSettings<GatedDeltaMixerConfig>(family, model, "gatedDelta");
  const attention = sharedSettings<AttentionMixerConfig>(family, model, "attention");
  if (attention !== undefined)
    expressible(family, attention.softmaxScale === attention.headDim ** -0.5, "softmaxScale", attention.softmaxScale);
  expectMlps(family, model);
  const mlp = sharedMlp(family, model, false);
  expectMlp(family, mlp, { hidden: mlp?.hidden });
  expressible(family, own.mixtures === true || sharedMlp(family, model, true) === undefined, "experts", "some");
  expressible(family, model.residualMultiplier === 1, "residualMultiplier", model.residualMultiplier);
  const { encoder, head } = model;
  const factors = [encoder.kind === "embedding" && encoder.multiplier, head.kind === "language" && head.multiplier];
  expressible(
    family,
    factors.every((factor) => (factor || 1) === 1),
    "multiplier",
    factors,
  );
  return {
    ...(delta && gatedDeltaSchema.write(delta, gatedDeltaSchema.names(undefined, { ...deltaNames, ...own.names }))),
    ...writeAttention(family, model, ["qkNorm", "outputGate"]),
    layer_types: model.layers.map(({ mixers: [mixer] }) =>
      mixer!.kind === "gatedDelta" ? "linear_attention" : "full_attention",
    ),
    ...(mlp && { intermediate_size: mlp.hidden }),
  };
}
