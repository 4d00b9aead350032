import { FormatError } from "@statespace/core";
import type { JsonObject, JsonValue } from "@statespace/files";
import { parseModelConfig, type MambaSsmOptions } from "../checkpoint/index.ts";
import { hybridConfig, type HybridConfig, type LanguageConfig, type LayerKind } from "./hybridConfig.ts";

/** `model_type` of a hybrid's `config.json`, which is this project's own. */
const HYBRID_MODEL_TYPE = "statespace_hybrid";

/** No width, count or index of a model is larger; see `ConfigFields`. */
const MAX_SIZE = 2 ** 24;
const MAX_LAYERS = 4096;

/** Reads the parsed `config.json` of a published checkpoint (see `parseModelConfig`) or of a hybrid saved here. @throws FormatError naming the setting. */
export function parseLanguageConfig(config: JsonObject, options: MambaSsmOptions = {}): LanguageConfig {
  return config.model_type === HYBRID_MODEL_TYPE ? hybridFromJson(config) : parseModelConfig(config, options);
}

/** The `config.json` of a hybrid: its config as it is, with the settings of the kinds it has. */
export function hybridToJson(config: HybridConfig): JsonObject {
  const { modelType: _, settings, ...rest } = config;
  const used = Object.fromEntries(
    Object.entries(settings).filter(([kind]) => config.layers.includes(kind as LayerKind)),
  );
  return encode({ model_type: HYBRID_MODEL_TYPE, ...rest, settings: used } as unknown as JsonObject) as JsonObject;
}

/**
 * Inverse of `hybridToJson`. Every setting must be one that such a layer has, of its type; those that are missing take their defaults.
 * @throws FormatError naming the setting.
 */
export function hybridFromJson(file: JsonObject): HybridConfig {
  const { vocabSize, dModel, layers } = file;
  if (!isCount(vocabSize) || !isCount(dModel))
    throw new FormatError(`config: vocabSize and dModel must be whole numbers in 1..${MAX_SIZE}`);
  if (!Array.isArray(layers) || layers.length > MAX_LAYERS || !layers.every((kind) => typeof kind === "string"))
    throw new FormatError(`config: layers must be a list of at most ${MAX_LAYERS} names`);
  const required = { vocabSize, dModel, layers: layers as LayerKind[] };
  try {
    const defaults = hybridConfig(required);
    const { settings = {}, nLayer = layers.length, model_type: _type, layers: _layers, ...model } = file;
    const { settings: kinds, ...shared } = defaults;
    if (nLayer !== layers.length)
      throw new FormatError(`config: nLayer must be the number of layers, ${layers.length}`);
    return hybridConfig({
      ...(likeDefaults(model, shared as unknown as JsonObject, "") as object),
      ...required,
      settings: likeDefaults(settings, kinds as unknown as JsonObject, "settings.") as object,
    });
  } catch (error) {
    throw error instanceof FormatError
      ? error
      : new FormatError(`config: ${(error as Error).message}`, { cause: error });
  }
}

/** A value whose every key the defaults have too, and with the same type. */
function likeDefaults(value: JsonValue, defaults: JsonValue | undefined, path: string): unknown {
  if (!isObject(value)) throw new FormatError(`config: ${path.slice(0, -1)} must be an object`);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]): [string, unknown] => {
      if (!isObject(defaults) || !Object.hasOwn(defaults, key))
        throw new FormatError(`config: ${path}${key} is not a known setting`);
      const standard = defaults[key];
      if (isObject(standard)) return [key, likeDefaults(item, standard, `${path}${key}.`)];
      const decoded = decode(item);
      if (!sameKind(key, decoded, standard))
        throw new FormatError(
          `config: ${path}${key} must be like ${JSON.stringify(standard)}, got ${JSON.stringify(item)}`,
        );
      return [key, decoded];
    }),
  );
}

/** Settings that say what they are by name where a default says too little. */
const NAMED: Readonly<Record<string, (value: unknown) => boolean>> = {
  norm: (value) => value === "rms" || value === "layer",
  dialect: (value) => value === "mamba_ssm",
  aActivation: (value) => value === "softplus" || value === "heavyTail",
  timeStepInitScheme: (value) => value === "random" || value === "constant" || value === "uniform",
  eosTokenIds: (value) => Array.isArray(value) && value.every(isWhole),
  mixerNormEps: (value) => typeof value === "number" && value >= 0 && value <= 1,
  attnLayers: (value) => Array.isArray(value) && value.length === 0,
};

function sameKind(key: string, value: unknown, standard: unknown): boolean {
  if (NAMED[key] !== undefined) return NAMED[key](value);
  if (standard === null) return value === null || isWhole(value); // token ids
  if (Array.isArray(standard))
    return (
      Array.isArray(value) && value.length === standard.length && value.every((x) => typeof x === "number" && x >= 0)
    );
  if (typeof standard !== "number") return typeof value === typeof standard;
  return Number.isInteger(standard)
    ? isWhole(value)
    : typeof value === "number" && Number.isFinite(value) && value >= 0;
}

const isWhole = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_SIZE;
const isCount = (value: unknown): value is number => isWhole(value) && value > 0;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Infinity as transformers writes it; what is undefined is left out. */
function encode(value: unknown): JsonValue {
  if (value === Number.POSITIVE_INFINITY) return { __float__: "Infinity" };
  if (Array.isArray(value)) return value.map(encode);
  if (!isObject(value)) return value as JsonValue;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, encode(item)]),
  );
}

function decode(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(decode);
  return isObject(value) && value.__float__ === "Infinity" ? Number.POSITIVE_INFINITY : value;
}
