import { FormatError } from "@statespace/core";
import {
  GgufStrings,
  quote,
  type GgufFile,
  type GgufScalar,
  type GgufValue,
  type JsonObject,
  type JsonValue,
} from "@statespace/files";
import { starred } from "./ggufFamily.ts";

/** Longer lists are vocabularies. */
const MAX_LIST = 4096;
const TOKENIZER = "tokenizer.ggml.";

/**
 * The metadata of a GGUF file as a family reads it: `general.architecture`; the architecture's own values and the ids of special tokens
 * without what stands before their names; `vocab`, the rows of the embedding; `tensors`, the names of all, with `*` for the number of a layer;
 * `layers`, the numbers of the layers that have each of them.
 * @throws FormatError for a file without an architecture or an embedding
 */
export function ggufConfig(file: GgufFile, name: string): JsonObject {
  const architecture = file.values.get("general.architecture")?.value;
  if (typeof architecture !== "string") throw new FormatError(`${name}: "general.architecture" must be a text`);
  const [vocab] = file.entries.get("token_embd.weight")?.shape ?? [];
  if (vocab === undefined) throw new FormatError(`${name}: tensor ${quote("token_embd.weight")} is missing`);
  const config = Object.create(null) as JsonObject;
  config["general.architecture"] = architecture;
  for (const beginning of [`${architecture}.`, TOKENIZER])
    for (const [key, value] of file.values) {
      if (!key.startsWith(beginning)) continue;
      const json = asJson(value.value);
      if (json !== undefined) config[key.slice(beginning.length)] = json;
    }
  config.vocab = vocab;
  const layers = new Map<string, number[]>();
  for (const key of file.entries.keys()) {
    const numbers = layers.get(starred(key)) ?? [];
    layers.set(starred(key), numbers);
    const [, layer] = /^blk\.(\d+)\./.exec(key) ?? [];
    if (layer !== undefined) numbers.push(Number(layer));
  }
  config.tensors = [...layers.keys()];
  config.layers = Object.assign(Object.create(null) as JsonObject, Object.fromEntries(layers));
  return config;
}

function asJson(value: GgufValue["value"]): JsonValue | undefined {
  if (typeof value !== "object") return scalar(value);
  if (value instanceof GgufStrings || value.length > MAX_LIST) return undefined;
  return Array.from(value as ArrayLike<number | bigint>, scalar);
}

/** Whole numbers that are too large for JSON's are never sizes; they are told as text. */
const scalar = (value: GgufScalar): JsonValue => (typeof value === "bigint" ? String(value) : value);
