import { ArgumentError, FormatError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { isJsonObject, parseStrictJson, quote, type JsonObject } from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import type { ModelConfig } from "../model/config.ts";
import { bamba } from "./bamba.ts";
import { falconH1 } from "./falconH1.ts";
import type { Family, FamilyOptions } from "./family.ts";
import { ggufFamilyOf, isGgufConfig } from "./gguf/registry.ts";
import { graniteHybrid } from "./graniteHybrid.ts";
import { jamba } from "./jamba.ts";
import { lfm2 } from "./lfm2.ts";
import { lfm2Moe } from "./lfm2Moe.ts";
import { falconMamba, mamba } from "./mamba.ts";
import { mamba2 } from "./mamba2.ts";
import { mambaSsm } from "./mambaSsm.ts";
import { nemotronH } from "./nemotronH.ts";
import { olmoHybrid } from "./olmoHybrid.ts";
import { qwen3Next } from "./qwen3Next.ts";
import { qwen35, qwen35Vision } from "./qwen35.ts";
import { qwen35Moe, qwen35MoeVision } from "./qwen35Moe.ts";
import { recurrentGemma } from "./recurrentGemma.ts";
import { statespace } from "./statespace.ts";
import { statespaceHybrid } from "./statespaceHybrid.ts";
import { zamba2 } from "./zamba2.ts";

/** Families of Hugging Face transformers, by their `model_type`. */
const transformersFamilies = [
  mamba,
  falconMamba,
  mamba2,
  falconH1,
  bamba,
  graniteHybrid,
  nemotronH,
  lfm2,
  lfm2Moe,
  qwen35,
  qwen35Vision,
  qwen35Moe,
  qwen35MoeVision,
  qwen3Next,
  olmoHybrid,
  jamba,
  recurrentGemma,
  zamba2,
];

/** Every family whose files are read. */
export const families: readonly Family[] = [...transformersFamilies, mambaSsm, statespace, statespaceHybrid];

/** The family of a parsed `config.json`. @throws FormatError if it is of none. */
export function familyOf(config: JsonObject): Family {
  if (isGgufConfig(config)) return ggufFamilyOf(config);
  const found = families.find((family) => family.detect(config));
  if (found !== undefined) return found;
  const { model_type: type } = config;
  if (type === undefined) {
    const keys = Object.keys(config).slice(0, 8).map(quote).join(", ");
    throw new FormatError(
      `config: must have model_type (transformers), d_model and n_layer (mamba_ssm) or modelType (statespace), got the keys ${keys || "of an empty object"}`,
    );
  }
  if (typeof type !== "string") throw new ConfigFields(config).error("model_type", "must be a string");
  const known = transformersFamilies.map(({ name }) => name).join(", ");
  throw new FormatError(`config: model_type must be one of ${known}, got ${quote(type)}`);
}

function noFamily(name: string): string {
  const known = families.map((family) => family.name);
  const meant = nearestName(name, known);
  return `there is no family ${name}; ${meant === undefined ? `there are ${known.join(", ")}` : `${meant} may be meant`}`;
}

/** A family by its name. @throws ArgumentError when there is none, with the one that may be meant. */
export function familyNamed(name: string): Family {
  const found = families.find((family) => family.name === name);
  if (found === undefined) throw new ArgumentError(noFamily(name));
  return found;
}

/**
 * Our config of a `config.json` of any family, from its text or its parsed form, every field's type and range checked.
 * @throws FormatError naming the key, or the family that is not known.
 */
export function parseModelConfig(
  config: string | Readonly<Record<string, unknown>>,
  options: FamilyOptions = {},
): ModelConfig {
  const object = typeof config === "string" ? parseStrictJson(config, { what: "config", nonFinite: true }) : config;
  if (!isJsonObject(object as JsonObject)) throw new FormatError("config: must be a JSON object");
  return familyOf(object as JsonObject).read(new ConfigFields(object as JsonObject), options);
}
