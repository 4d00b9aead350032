import { FormatError } from "@statespace/core";
import { isJsonObject, type GgufValue, type JsonObject } from "@statespace/files";
import type { ConfigFields } from "../../config/fields.ts";
import type { Model } from "../../model/model.ts";
import type { ModelConfig, ResolvedModel } from "../../model/config.ts";
import type { EncoderConfig, HeadConfig } from "../../model/ends.ts";
import { expressible, type Family } from "../family.ts";
import type { PublishedTensor, WeightRules } from "../weightNames.ts";
import type { Form } from "./forms.ts";

/** Values of metadata by key, without the architecture's name before them. */
export type GgufMetadata = Readonly<Record<string, GgufValue>>;

/** A published family as llama.cpp keeps it. Its "config" is the metadata of a file: see `ggufConfig`. */
export interface GgufFamily extends Family {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Our config of a file's metadata is `read`; this is its inverse. @throws ArgumentError naming the setting that it cannot express. */
  metadata(model: ResolvedModel): GgufMetadata;
}

/** What a family of GGUF is declared with. */
export interface GgufParts {
  readonly architecture: string;
  /** Names of weights; those that every file has are known. */
  readonly weights: WeightRules;
  /** How the file has a tensor where it is not as ours, by its name with `*` for a number. */
  readonly forms?: Readonly<Record<string, readonly Form[]>>;
  read(fields: ConfigFields): ModelConfig;
  metadata(model: ResolvedModel): GgufMetadata;
}

const SHARED_WEIGHTS: WeightRules = {
  encoder: "token_embd",
  "layers.*.norm": "blk.*.attn_norm",
  norm_f: "output_norm",
  head: "output",
};

export function ggufFamily({ architecture, weights, forms = {}, read, metadata }: GgufParts): GgufFamily {
  return {
    name: `gguf:${architecture}`,
    architecture,
    detect: (config: JsonObject) => config["general.architecture"] === architecture,
    read,
    metadata,
    weights: { ...SHARED_WEIGHTS, ...weights },
    leftOut: { rope_freqs: "factors of rotary positions" },
    place: (target: PublishedTensor, model: Model) =>
      (forms[starred(target.key)] ?? []).reduce((placed, form) => form(placed, model), target),
  };
}

/** The name of a tensor with `*` for the number of its layer. */
export function starred(key: string): string {
  return key.replace(/^blk\.\d+\./, "blk.*.");
}

/** Whether the file has a tensor, by its name with `*` for a number. */
export function hasTensor(fields: ConfigFields, name: string): boolean {
  const names = fields.value("tensors");
  return Array.isArray(names) && names.includes(name);
}

/** Which layers have a tensor, by its name after `blk.*.`. */
export function layersWith(fields: ConfigFields, name: string, nLayer: number): readonly boolean[] {
  const layers = fields.value("layers");
  const found = isJsonObject(layers) ? layers[`blk.*.${name}`] : undefined;
  const numbers = new Set(Array.isArray(found) ? found : []);
  return Array.from({ length: nLayer }, (_, i) => numbers.has(i));
}

/** A language model but for its layers. */
interface GgufModel extends Omit<ModelConfig, "layers"> {
  readonly encoder: Extract<EncoderConfig, { kind: "embedding" }>;
  readonly head: Extract<HeadConfig, { kind: "language" }>;
}

const EPS = "attention.layer_norm_rms_epsilon";
const LAYER_EPS = "attention.layer_norm_epsilon";

/**
 * What every file says of its model, but for its layers.
 * @param family what the model is, where it is saved for other libraries
 */
export function readShared(
  fields: ConfigFields,
  family: string,
): { readonly dModel: number; readonly nLayer: number; readonly normEps: number; readonly model: GgufModel } {
  const vocabSize = fields.integer("vocab", undefined);
  const dModel = fields.integer("embedding_length", undefined);
  // Files of some architectures have the epsilon under the name of layer norms.
  const normEps = readSingle(fields, fields.has(EPS) ? EPS : LAYER_EPS);
  const id = (key: string): number | null => {
    const value = fields.value(key);
    return typeof value === "number" && value < vocabSize ? fields.tokenId(key, null, vocabSize) : null;
  };
  const eos = ["eos_token_id", "eot_token_id"].flatMap((key) => id(key) ?? []);
  return {
    dModel,
    nLayer: fields.integer("block_count", undefined, { max: 4096 }),
    normEps,
    model: {
      modelType: "statespace",
      family,
      dModel,
      encoder: { kind: "embedding", vocabSize },
      head: { kind: "language", tie: !hasTensor(fields, "output.weight") },
      norm: "rms",
      normEps,
      residualInFp32: true,
      bosTokenId: id("bos_token_id"),
      eosTokenIds: [...new Set(eos)],
      padTokenId: id("padding_token_id"),
      initializerRange: 0.02,
      rescalePrenormResidual: false,
    },
  };
}

/** @throws FormatError naming a key that is missing: sizes have no defaults here */
export function expectKeys(fields: ConfigFields, keys: Readonly<Record<string, string>>): void {
  for (const key of Object.values(keys)) if (!fields.has(key)) throw fields.error(key, "must be there");
}

/** A number that files hold as float32: the shortest decimal that is that float, as it was before. */
export function readSingle(fields: ConfigFields, key: string, standard?: number): number {
  const value = fields.number(key, standard);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** One number a layer, or one for all of them. */
export function perLayer(fields: ConfigFields, key: string, nLayer: number): readonly number[] {
  if (!Array.isArray(fields.value(key))) {
    const one = fields.integer(key, undefined, { min: 0 });
    return Array.from({ length: nLayer }, () => one);
  }
  const all = fields.integers(key, []);
  if (all.length !== nLayer) throw fields.error(key, `must have block_count = ${nLayer} entries`);
  return all;
}

/** The one value that all layers have that have any. @throws FormatError where they differ */
export function shared(fields: ConfigFields, key: string, values: readonly number[]): number {
  const [first, ...others] = [...new Set(values.filter((value) => value > 0))];
  if (first === undefined) throw fields.error(key, "must be above 0 in some layer");
  if (others.length > 0) throw fields.error(key, "must be the same in all layers that have any");
  return first;
}

export const uint32 = (value: number): GgufValue => ({ type: "uint32", value });
export const float32 = (value: number): GgufValue => ({ type: "float32", value });
export const bool = (value: boolean): GgufValue => ({ type: "bool", value });
export const int32s = (values: readonly number[]): GgufValue => ({
  type: "array",
  items: "int32",
  value: Int32Array.from(values),
});

/** Tokens that a context has where its user does not say: a state takes any number, the keys and values of attention take memory for each. */
const CONTEXT = { any: 2 ** 20, attention: 2 ** 15 } as const;

/** Inverse of `readShared`. @throws ArgumentError for what no such file can say. */
export function writeShared(
  architecture: string,
  model: ResolvedModel,
  allowed: { readonly normOffset?: number; readonly factors?: boolean } = {},
): GgufMetadata {
  const { encoder, head } = model;
  if (encoder.kind !== "embedding" || head.kind !== "language") {
    expressible(architecture, false, "head.kind", head.kind);
    throw new FormatError("unreachable");
  }
  expressible(architecture, model.norm === "rms", "norm", model.norm);
  expressible(architecture, model.normOffset === (allowed.normOffset ?? 0), "normOffset", model.normOffset);
  expressible(architecture, head.logitCap === undefined, "head.logitCap", head.logitCap);
  if (allowed.factors !== true) {
    const factors = {
      encoder: encoder.multiplier ?? 1,
      head: head.multiplier ?? 1,
      residual: model.residualMultiplier,
    };
    expressible(
      architecture,
      Object.values(factors).every((factor) => factor === 1),
      "multiplier",
      factors,
    );
  }
  const attends = model.layers.some(({ mixers }) => mixers.some(({ kind }) => kind === "attention"));
  return {
    context_length: uint32(attends ? CONTEXT.attention : CONTEXT.any),
    embedding_length: uint32(model.dModel),
    block_count: uint32(model.layers.length),
    vocab_size: uint32(encoder.vocabSize),
    [EPS]: float32(model.normEps),
  };
}
