import { FormatError } from "@statespace/core";
import { ConfigFields } from "../config/fields.ts";
import { type MambaSsmOptions, parseMambaSsmConfig } from "./mambaSsmConfig.ts";
import type { ConfigDialect, ModelConfig } from "./modelConfig.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson, quote } from "@statespace/files";
import { parseTransformersConfig } from "./transformersConfig.ts";

/**
 * Reads a `config.json` of either dialect, from its text or its parsed form, checking every field's type and range.
 * Errors: {@link FormatError} naming the key; the model_type or ssm layer if it is not one of this family.
 */
export function parseModelConfig(
  config: string | JsonObject | Readonly<Record<string, unknown>>,
  options: MambaSsmOptions = {},
): ModelConfig {
  const object = toJsonObject(config);
  const fields = new ConfigFields(object);
  if (dialectOf(object) === "mamba_ssm") return parseMambaSsmConfig(fields, options);
  const { model_type: modelType } = object;
  if (typeof modelType !== "string") throw fields.error("model_type", "must be a string");
  return parseTransformersConfig(fields, modelType);
}

/** Errors: {@link FormatError} if the object is a config of neither dialect. */
function dialectOf(object: JsonObject): ConfigDialect {
  // Converted checkpoints keep mamba_ssm's keys beside transformers' own, so model_type decides.
  if (object.model_type !== undefined) return "transformers";
  if (object.d_model !== undefined && object.n_layer !== undefined) return "mamba_ssm";
  const keys = Object.keys(object).slice(0, 8).map(quote).join(", ");
  throw new FormatError(
    `config: must have model_type (transformers) or d_model and n_layer (mamba_ssm), got the keys ${keys || "of an empty object"}`,
  );
}

function toJsonObject(config: string | JsonObject | Readonly<Record<string, unknown>>): JsonObject {
  if (typeof config !== "string") return config as JsonObject;
  const value: JsonValue = parseStrictJson(config, { what: "config", nonFinite: true });
  if (!isJsonObject(value)) throw new FormatError("config: must be a JSON object");
  return value;
}
