import { FormatError } from "@statespace/core";
import { isJsonObject, type JsonObject, type JsonValue } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { MixerKind } from "../mixers/registry.ts";
import type { LayerSettings, ModelConfig } from "../model/config.ts";
import type { Family } from "./family.ts";
import { mambaWeights } from "./mamba.ts";

/** Hybrids that an earlier version of this project saved: layers by name, settings by kind. They are read, and saved in the form of today. */
export const statespaceHybrid: Family = {
  name: "statespace_hybrid",
  weights: mambaWeights,
  detect: ({ model_type: type }) => type === "statespace_hybrid",
  read(fields: ConfigFields): ModelConfig {
    const vocabSize = fields.integer("vocabSize", undefined);
    const layers = readLayers(fields.value("layers"), fields.value("settings") ?? {});
    if (fields.integer("nLayer", layers.length) !== layers.length)
      throw fields.error("nLayer", `must be the number of layers, ${layers.length}`);
    // What a model of today cannot have other values of.
    fields.ignore("model_type", "dialect", "attnLayers", "attention");
    const config = {
      modelType: "statespace",
      dModel: fields.integer("dModel", undefined),
      encoder: { kind: "embedding", vocabSize },
      layers,
      head: { kind: "language", tie: fields.boolean("tieEmbeddings", true) },
      norm: fields.choice("norm", ["rms", "layer"], "rms"),
      normEps: fields.number("normEps", 1e-5, { min: 0, max: 1 }),
      mlp: fields.integer("dIntermediate", 0, { min: 0 }),
      initializerRange: fields.number("initializerRange", 0.02, { min: 0, max: 100 }),
      rescalePrenormResidual: fields.boolean("rescalePrenormResidual", true),
      residualInFp32: fields.boolean("residualInFp32", true),
      bosTokenId: fields.tokenId("bosTokenId", null, vocabSize),
      eosTokenIds: fields.tokenIds("eosTokenIds", null, vocabSize),
      padTokenId: fields.tokenId("padTokenId", null, vocabSize),
    } as const;
    fields.rejectUnknown();
    return config;
  },
};

function readLayers(layers: JsonValue | undefined, settings: JsonValue): LayerSettings[] {
  if (!Array.isArray(layers) || layers.length > 4096 || !layers.every((kind) => typeof kind === "string"))
    throw new FormatError("config: layers must be a list of at most 4096 names");
  if (!isJsonObject(settings)) throw new FormatError("config: settings must be an object");
  return (layers as MixerKind[]).map((kind) => {
    const own = Object.hasOwn(settings, kind) ? (settings[kind] as JsonObject) : {};
    return { ...own, kind } as LayerSettings;
  });
}
