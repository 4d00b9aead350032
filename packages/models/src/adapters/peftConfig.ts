import { ArgumentError, FormatError } from "@statespace/core";
import { quote, type JsonObject, type JsonValue } from "@statespace/files";
import { resolveAdapterOptions, type AdapterOptions, type AdapterSettings } from "./settings.ts";

export const ADAPTER_CONFIG = "adapter_config.json";

/** Our names of PEFT's settings that mean the same. */
const SAME: Readonly<Record<string, keyof AdapterOptions>> = {
  r: "rank",
  lora_alpha: "alpha",
  lora_dropout: "dropout",
  target_modules: "targetModules",
  exclude_modules: "excludeModules",
  modules_to_save: "modulesToSave",
  layers_to_transform: "layersToTransform",
  layers_pattern: "layersPattern",
  rank_pattern: "rankPattern",
  alpha_pattern: "alphaPattern",
  use_rslora: "useRslora",
  use_dora: "useDora",
};
/** Settings that do not change what a saved adapter computes, or that say nothing of it. */
const IGNORED: ReadonlySet<string> = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "inference_mode",
  "init_lora_weights",
  "megatron_core",
  "peft_type",
  "peft_version",
  "qalora_group_size",
  "revision",
  "task_type",
  "runtime_config",
  "eva_config",
  "ensure_weight_tying",
]);
/** First values whose making also changes the weights below. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|lora_ga)/i;

const isNeutral = (value: JsonValue): boolean =>
  value === null ||
  value === false ||
  value === "none" ||
  (typeof value === "object" && Object.keys(value).length === 0);

/**
 * Our settings of a PEFT configuration.
 * @throws FormatError naming the key that is wrong, or that asks for what is not computed here.
 */
export function readPeftConfig(config: JsonObject): AdapterSettings {
  const { peft_type: type = "LORA", init_lora_weights: init = true } = config;
  if (type !== "LORA")
    throw new FormatError(`${ADAPTER_CONFIG}: peft_type must be "LORA", got ${JSON.stringify(type)}`);
  if (typeof init === "string" && CHANGES_BASE.test(init))
    throw new FormatError(
      `${ADAPTER_CONFIG}: init_lora_weights ${quote(init)} changed the base's weights too; save it converted (path_initial_model_for_weight_conversion)`,
    );
  const options: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = SAME[key];
    if (name !== undefined) {
      if (value !== null) options[name] = checked(key, value);
    } else if (!IGNORED.has(key) && !isNeutral(value))
      throw new FormatError(`${ADAPTER_CONFIG}: ${key} = ${JSON.stringify(value).slice(0, 80)} is not supported`);
  }
  // A regular expression does not go with layers; PEFT passes them over then.
  if (!Array.isArray(options["targetModules"])) delete options["layersToTransform"];
  try {
    return resolveAdapterOptions(options as AdapterOptions);
  } catch (cause) {
    if (cause instanceof ArgumentError) throw new FormatError(`${ADAPTER_CONFIG}: ${cause.message}`, { cause });
    throw cause;
  }
}

const isTexts = (value: JsonValue): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && each.length > 0);
const isCounts = (value: JsonValue): boolean =>
  Array.isArray(value) && value.every((each) => Number.isSafeInteger(each));
const isNumbers = (value: JsonValue): boolean =>
  typeof value === "object" && !Array.isArray(value) && Object.values(value!).every((each) => typeof each === "number");

/** What each setting may be. */
const TYPES: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  r: (value) => typeof value === "number",
  lora_alpha: (value) => typeof value === "number",
  lora_dropout: (value) => typeof value === "number",
  target_modules: (value) => typeof value === "string" || isTexts(value),
  exclude_modules: (value) => typeof value === "string" || isTexts(value),
  modules_to_save: isTexts,
  layers_to_transform: (value) => Number.isSafeInteger(value) || isCounts(value),
  layers_pattern: (value) => typeof value === "string" || isTexts(value),
  rank_pattern: isNumbers,
  alpha_pattern: isNumbers,
  use_rslora: (value) => typeof value === "boolean",
  use_dora: (value) => typeof value === "boolean",
};

function checked(key: string, value: JsonValue): JsonValue {
  if (!TYPES[key]!(value))
    throw new FormatError(`${ADAPTER_CONFIG}: ${key} cannot be ${JSON.stringify(value).slice(0, 80)}`);
  return value;
}

/** What a saved configuration says beside the settings. */
export interface PeftFacts {
  /** What the adapter was read from, as it was. */
  readonly file: Readonly<Record<string, unknown>>;
  readonly targetModules: string | readonly string[];
  /** Where the model without the adapter is. */
  readonly baseModel: string | undefined;
  readonly language: boolean;
}

/** A configuration that PEFT reads. */
export function writePeftConfig(settings: AdapterSettings, facts: PeftFacts): Record<string, unknown> {
  const { file, baseModel } = facts;
  const own: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(SAME)) own[key] = settings[name] ?? null;
  return {
    auto_mapping: null,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    peft_type: "LORA",
    task_type: facts.language ? "CAUSAL_LM" : null,
    ...file,
    ...own,
    rank_pattern: settings.rankPattern ?? {},
    alpha_pattern: settings.alphaPattern ?? {},
    target_modules: facts.targetModules,
    base_model_name_or_path: baseModel ?? file["base_model_name_or_path"] ?? null,
    inference_mode: true,
  };
}
