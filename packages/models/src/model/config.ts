import { ArgumentError, FormatError } from "@statespace/core";
import { isJsonObject, parseStrictJson, type JsonObject, type JsonValue } from "@statespace/files";
import { encodeJson } from "../config/encodeJson.ts";
import { ConfigFields } from "../config/fields.ts";
import { mlpSchema, type MlpConfig, type MlpSettings } from "../layers/mlpConfig.ts";
import { readProjections, type Projections } from "../layers/linear.ts";
import type { NormConfig } from "../layers/norm.ts";
import { attentionSchema, type AttentionMixerConfig } from "../mixers/attention/config.ts";
import { mixerKinds, mixers, type MixerKind, type ReadMixer } from "../mixers/registry.ts";
import { featuresOf, framingOf } from "../sound/framing.ts";
import { readEncoder, readHead, type EncoderConfig, type HeadConfig } from "./ends.ts";
import { checkNormalize, NORMALIZE, type Normalize } from "./units.ts";

/** One mixer: its kind and the settings that differ from the kind's defaults; see the table in the kind's README. */
export interface MixerSettings {
  readonly kind: MixerKind;
  /** Reads from the last token to the first: beside one that does not, a layer that looks both ways. */
  readonly reverse?: boolean;
  /** Factors on what it takes and gives; 1 unless told. */
  readonly inputMultiplier?: number;
  readonly outputMultiplier?: number;
  /** What its projections have beside what the kind gives them: factors by part, a bias. */
  readonly projections?: Projections;
  readonly [setting: string]: unknown;
}

/**
 * A Transformer block with weights that several layers share: attention over the residual stream and what the encoder gave, side by side, and an
 * MLP. Each use may have low-rank additions of its own to the shared projections.
 */
export interface SharedSettings {
  /** Which one; layers with the same number share it. */
  readonly block: number;
  /** Settings of its attention, which sees 2 dModel channels. */
  readonly attention?: Readonly<Record<string, unknown>>;
  readonly mlp?: MlpSettings;
  /** Rank of a use's addition to the MLP's first projection, and to each of q, k and v; 0, the default, for none. */
  readonly mlpRank?: number;
  readonly attentionRank?: number;
}

/** What one layer may have of its own, whichever mixers it has. */
interface LayerOptions {
  /** A Transformer block that several layers share, before the layer's own mixers. */
  readonly shared?: SharedSettings;
  /** An MLP other than the model's, or 0 for none. */
  readonly mlp?: number | MlpSettings;
  readonly normPlacement?: "before" | "after";
}

/** One layer: a mixer by its name, with settings, or several side by side. */
export type LayerSettings =
  | MixerKind
  | (MixerSettings & LayerOptions)
  | ({ readonly mixers: readonly MixerSettings[] } & LayerOptions);

/** A model as plain JSON: what `config.json` holds. */
export interface ModelConfig {
  /** `sequence` in older files. */
  readonly modelType?: "statespace" | "sequence";
  /** The published family it is of, in whose form it is saved; none for a model of one's own. */
  readonly family?: string;
  readonly dModel: number;
  readonly encoder: EncoderConfig;
  readonly layers: readonly LayerSettings[];
  readonly head: HeadConfig;
  /** Of vectors: what their channels, and answers in their units, are measured by; "none" unless told. */
  readonly normalize?: Normalize;
  /** Tokens come at times of their own, and steps are scaled by the time between them; false unless told. */
  readonly irregular?: boolean;
  /** "layer" unless told. */
  readonly norm?: "layer" | "rms";
  /** 1e-5 unless told. */
  readonly normEps?: number;
  /** Added to each norm's weight; 0 unless told. */
  readonly normOffset?: number;
  /** Norms stand before mixers and MLPs unless told. */
  readonly normPlacement?: "before" | "after";
  /** The MLP after each mixer, or its width alone; 0, the default, for none. */
  readonly mlp?: number | MlpSettings;
  /** Factor on what each branch adds to the residual stream; 1 unless told. */
  readonly residualMultiplier?: number;
  /** Share of channels that training drops from each branch; 0 unless told. */
  readonly dropout?: number;
  /** Standard deviation of a new embedding; 0.02 unless told. */
  readonly initializerRange?: number;
  /** New projections onto the residual stream are divided by the root of how often it is added to; true unless told. */
  readonly rescalePrenormResidual?: boolean;
  /** As published files say it; here the residual stream always is float32. */
  readonly residualInFp32?: boolean;
  readonly bosTokenId?: number | null;
  /** Tokens that end a text. */
  readonly eosTokenIds?: readonly number[];
  readonly padTokenId?: number | null;
}

/** A mixer's settings with every default filled in. */
export interface ResolvedMixer extends ReadMixer {
  readonly kind: MixerKind;
  readonly reverse: boolean;
  readonly inputMultiplier: number;
  readonly outputMultiplier: number;
  readonly projections: Projections;
}

/** A shared block's settings with every default filled in. */
export interface ResolvedShared {
  readonly block: number;
  readonly attention: AttentionMixerConfig;
  readonly mlp: MlpConfig;
  readonly mlpRank: number;
  readonly attentionRank: number;
}

/** One layer of a config that was read and checked. */
export interface ResolvedLayer {
  readonly mixers: readonly ResolvedMixer[];
  readonly mlp: MlpConfig | undefined;
  readonly shared: ResolvedShared | undefined;
  readonly normPlacement: "before" | "after";
}

/** A config that was read and checked: every default filled in, every layer ready to be made. */
export interface ResolvedModel extends NormConfig {
  readonly config: ModelConfig;
  readonly dModel: number;
  readonly encoder: EncoderConfig;
  readonly head: HeadConfig;
  readonly normalize: Normalize;
  readonly irregular: boolean;
  readonly residualMultiplier: number;
  readonly dropout: number;
  readonly initializerRange: number;
  readonly rescalePrenormResidual: boolean;
  readonly residualInFp32: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  readonly layers: readonly ResolvedLayer[];
}

const PLACEMENTS = ["before", "after"] as const;

/**
 * Reads and checks a config, from an object or from JSON that was parsed.
 * @throws FormatError naming the key: `config: layers.1.dState must be a whole number in 1..16777216, got -3`.
 */
export function resolveModelConfig(value: unknown): ResolvedModel {
  // Through JSON, so that what is accepted here is exactly what a file can hold.
  const json = parseStrictJson(JSON.stringify(encodeJson(value)) ?? "null", { what: "config" });
  if (!isJsonObject(json)) throw new FormatError("config: must be an object");
  const fields = new ConfigFields(json);
  fields.choice("modelType", ["statespace", "sequence"], "statespace");
  fields.ignore("family");
  const dModel = fields.integer("dModel", undefined);
  const encoder = readEncoder(fields.object("encoder"));
  const normPlacement = fields.choice("normPlacement", PLACEMENTS, "before");
  const mlp = readMlp(fields, dModel, undefined);
  const vocabSize = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const resolved: ResolvedModel = {
    config: value as ModelConfig,
    dModel,
    encoder,
    head: readHead(fields.object("head")),
    normalize: fields.choice("normalize", NORMALIZE, "none"),
    irregular: fields.boolean("irregular", false),
    norm: fields.choice("norm", ["layer", "rms"] as const, "layer"),
    normEps: fields.number("normEps", 1e-5, { min: 0, max: 1 }),
    normOffset: fields.number("normOffset", 0),
    residualMultiplier: fields.number("residualMultiplier", 1),
    dropout: fields.number("dropout", 0, { min: 0, max: 0.99 }),
    initializerRange: fields.number("initializerRange", 0.02, { min: 0, max: 100 }),
    rescalePrenormResidual: fields.boolean("rescalePrenormResidual", true),
    residualInFp32: fields.boolean("residualInFp32", true),
    bosTokenId: fields.tokenId("bosTokenId", null, vocabSize),
    eosTokenIds: fields.tokenIds("eosTokenIds", null, vocabSize),
    padTokenId: fields.tokenId("padTokenId", null, vocabSize),
    layers: readLayers(json["layers"], dModel, mlp, normPlacement),
  };
  fields.ignore("layers");
  fields.rejectUnknown();
  if (resolved.head.kind === "language" && encoder.kind !== "embedding")
    throw new FormatError('config: head.kind "language" needs an encoder of kind "embedding"');
  checkNormalize(resolved);
  checkSpectra(resolved);
  return resolved;
}

/** @throws FormatError unless the encoder takes the spectra that a head over them multiplies. */
function checkSpectra({ head, encoder, normalize }: ResolvedModel): void {
  if (head.kind !== "denoising") return;
  const channels = featuresOf(framingOf(head));
  if (encoder.kind !== "linear" || encoder.channels !== channels || normalize === "sequence")
    throw new FormatError(
      `config: head.kind "denoising" needs an encoder of kind "linear" with ${channels} channels, and normalize other than "sequence"`,
    );
}

/** A width, 0 for none, or settings. */
function readMlp(fields: ConfigFields, dModel: number, fallback: MlpConfig | undefined): MlpConfig | undefined {
  if (!fields.has("mlp")) return fallback;
  if (!fields.isObject("mlp")) {
    const hidden = fields.integer("mlp", undefined, { min: 0 });
    return hidden === 0 ? undefined : mlpSchema.resolve(dModel, { hidden });
  }
  const own = fields.object("mlp");
  const config = mlpSchema.read(own, dModel);
  own.rejectUnknown();
  return config;
}

function readLayers(
  value: JsonValue | undefined,
  dModel: number,
  mlp: MlpConfig | undefined,
  normPlacement: "before" | "after",
): readonly ResolvedLayer[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 4096)
    throw new FormatError("config: layers must be a list of 1 to 4096 layers");
  return value.map((written, i) => {
    const layer = typeof written === "string" ? { kind: written } : written;
    if (!isJsonObject(layer)) throw new FormatError(`config: layers.${i} must be an object with a kind`);
    return atLayer(i, () => {
      const fields = new ConfigFields(layer, `layers.${i}.`);
      const read = {
        mlp: readMlp(fields, dModel, mlp),
        shared: fields.has("shared") ? readShared(fields.object("shared"), dModel) : undefined,
        normPlacement: fields.choice("normPlacement", PLACEMENTS, normPlacement),
        mixers: fields.has("mixers") ? readMixers(fields, layer["mixers"], i, dModel) : [readMixer(fields, dModel)],
      };
      fields.rejectUnknown();
      return read;
    });
  });
}

function readShared(fields: ConfigFields, dModel: number): ResolvedShared {
  const attention = fields.object("attention");
  const mlp = fields.object("mlp");
  const shared = {
    block: fields.integer("block", undefined, { min: 0, max: 4095 }),
    attention: attentionSchema.read(attention, 2 * dModel),
    mlp: mlpSchema.read(mlp, dModel),
    mlpRank: fields.integer("mlpRank", 0, { min: 0 }),
    attentionRank: fields.integer("attentionRank", 0, { min: 0 }),
  };
  attention.ignore("dModel");
  mlp.ignore("dModel");
  for (const own of [attention, mlp, fields]) own.rejectUnknown();
  if (shared.mlp.experts > 0) throw mlp.error("experts", "must be 0 in a block that layers share");
  return shared;
}

function readMixers(fields: ConfigFields, value: JsonValue | undefined, i: number, dModel: number): ResolvedMixer[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 64 || !value.every(isJsonObject))
    throw fields.error("mixers", "must be a list of 1 to 64 objects with a kind each");
  return (value as JsonObject[]).map((mixer, k) => {
    const own = new ConfigFields(mixer, `layers.${i}.mixers.${k}.`);
    const read = readMixer(own, dModel);
    own.rejectUnknown();
    return read;
  });
}

function readMixer(fields: ConfigFields, dModel: number): ResolvedMixer {
  const kind = fields.choice("kind", mixerKinds, "" as MixerKind);
  fields.ignore("dModel");
  return {
    kind,
    reverse: fields.boolean("reverse", false),
    inputMultiplier: fields.number("inputMultiplier", 1),
    outputMultiplier: fields.number("outputMultiplier", 1),
    projections: readProjections(fields),
    ...mixers[kind].read(fields, dModel),
  };
}

/** What a layer finds wrong with settings that are each in range is told with the layer's place. */
export function atLayer<T>(layer: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ArgumentError)
      throw new FormatError(`config: layers.${layer}: ${error.message}`, { cause: error });
    throw error;
  }
}
