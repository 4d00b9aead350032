import { ArgumentError, FormatError } from "@statespace/core";
import { ConfigFields } from "../config/fields.ts";
import { isJsonObject, parseStrictJson, type JsonObject, type JsonValue } from "@statespace/files";
import { mixerKinds, mixers, type MixerKind, type ReadMixer } from "../mixers/registry.ts";

export type { MixerKind } from "../mixers/registry.ts";

/** One layer: its kind and the settings that differ from the kind's defaults (see the README's table). */
export interface LayerSettings {
  readonly kind: MixerKind;
  readonly [setting: string]: JsonValue;
}

/** Ids through a table, or vectors through a projection. */
export type EncoderConfig =
  | { readonly kind: "embedding"; readonly vocabSize: number }
  | { readonly kind: "linear"; readonly channels: number };

/**
 * What the model answers.
 * - `language`: logits of the next token, [b, l, v].
 * - `classification`: logits over classes, [b, classes], from the mean over tokens or the last one.
 * - `regression`: values, [b, outputs]; with pooling `none` one answer a token, [b, l, outputs].
 * - `forecasting`: the next `horizon` values, from the last token, [b, horizon, channels].
 */
export type HeadConfig =
  | { readonly kind: "language"; readonly tie?: boolean }
  | { readonly kind: "classification"; readonly classes: number; readonly pooling?: "mean" | "last" }
  | { readonly kind: "regression"; readonly outputs: number; readonly pooling?: "mean" | "last" | "none" }
  | { readonly kind: "forecasting"; readonly horizon: number; readonly channels: number };

/** A sequence model as plain JSON: what `config.json` holds. */
export interface SequenceConfig {
  readonly modelType: "sequence";
  readonly dModel: number;
  readonly encoder: EncoderConfig;
  readonly layers: readonly LayerSettings[];
  readonly head: HeadConfig;
  /** "layer" unless told. */
  readonly norm?: "layer" | "rms";
  /** 1e-5 unless told. */
  readonly normEps?: number;
  /** Width of a gated MLP after each mixer; 0, the default, for none. */
  readonly mlp?: number;
  /** Share of channels that training drops from each branch; 0 unless told. */
  readonly dropout?: number;
}

/** A config that was read and checked: every default filled in, every layer ready to be made. */
export interface ResolvedSequence {
  readonly config: SequenceConfig;
  readonly dModel: number;
  readonly encoder: EncoderConfig;
  readonly head: HeadConfig;
  readonly norm: "layer" | "rms";
  readonly normEps: number;
  readonly mlp: number;
  readonly dropout: number;
  readonly layers: readonly ({ readonly kind: MixerKind } & ReadMixer)[];
}

/**
 * Reads and checks a config, from an object or from JSON that was parsed.
 * @throws FormatError naming the key: `config: layers.1.dState must be a whole number in 1..16777216, got -3`.
 */
export function resolveSequenceConfig(value: unknown): ResolvedSequence {
  // Through JSON, so that what is accepted here is exactly what a file can hold.
  const json = parseStrictJson(JSON.stringify(value) ?? "null", { what: "config" });
  if (!isJsonObject(json)) throw new FormatError("config: must be an object");
  const fields = new ConfigFields(json);
  fields.choice("modelType", ["sequence"], "sequence");
  const dModel = fields.integer("dModel", undefined);
  const resolved = {
    config: value as SequenceConfig,
    dModel,
    encoder: readEncoder(fields.object("encoder")),
    head: readHead(fields.object("head")),
    norm: fields.choice("norm", ["layer", "rms"] as const, "layer"),
    normEps: fields.number("normEps", 1e-5, { min: 0, max: 1 }),
    mlp: fields.integer("mlp", 0, { min: 0 }),
    dropout: fields.number("dropout", 0, { min: 0, max: 0.99 }),
    layers: readLayers(json["layers"], dModel),
  };
  fields.ignore("layers");
  fields.rejectUnknown();
  if (resolved.head.kind === "language" && resolved.encoder.kind !== "embedding")
    throw new FormatError('config: head.kind "language" needs an encoder of kind "embedding"');
  return resolved;
}

function readEncoder(fields: ConfigFields): EncoderConfig {
  const kind = fields.choice("kind", ["embedding", "linear"] as const, "" as "embedding");
  const encoder: EncoderConfig =
    kind === "embedding"
      ? { kind, vocabSize: fields.integer("vocabSize", undefined) }
      : { kind, channels: fields.integer("channels", undefined) };
  fields.rejectUnknown();
  return encoder;
}

function readHead(fields: ConfigFields): HeadConfig {
  const kind = fields.choice(
    "kind",
    ["language", "classification", "regression", "forecasting"] as const,
    "" as "language",
  );
  const head = ((): HeadConfig => {
    switch (kind) {
      case "language":
        return { kind, tie: fields.boolean("tie", false) };
      case "classification":
        return {
          kind,
          classes: fields.integer("classes", undefined),
          pooling: fields.choice("pooling", ["mean", "last"] as const, "mean"),
        };
      case "regression":
        return {
          kind,
          outputs: fields.integer("outputs", undefined),
          pooling: fields.choice("pooling", ["mean", "last", "none"] as const, "mean"),
        };
      case "forecasting":
        return { kind, horizon: fields.integer("horizon", undefined), channels: fields.integer("channels", undefined) };
    }
  })();
  fields.rejectUnknown();
  return head;
}

function readLayers(value: JsonValue | undefined, dModel: number): ResolvedSequence["layers"] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 4096)
    throw new FormatError("config: layers must be a list of 1 to 4096 layers");
  return value.map((layer, i) => {
    const path = `layers.${i}.`;
    if (!isJsonObject(layer)) throw new FormatError(`config: layers.${i} must be an object with a kind`);
    const fields = new ConfigFields(layer as JsonObject, path);
    const kind = fields.choice("kind", mixerKinds, "" as MixerKind);
    try {
      const mixer = mixers[kind].read(fields, dModel);
      fields.rejectUnknown();
      return { kind, ...mixer };
    } catch (error) {
      // What a layer finds wrong with settings that are each in range: told with the layer's place.
      if (error instanceof ArgumentError)
        throw new FormatError(`config: layers.${i}: ${error.message}`, { cause: error });
      throw error;
    }
  });
}
