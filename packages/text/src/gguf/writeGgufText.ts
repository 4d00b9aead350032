import { ArgumentError, FormatError } from "@statespace/core";
import {
  GgufStrings,
  isJsonObject,
  parseStrictJson,
  quote,
  type GgufValue,
  type JsonObject,
  type JsonValue,
} from "@statespace/files";
import { SAMPLING_KEYS } from "./readGgufText.ts";
import { splitterName } from "./splitters.ts";
import { TOKEN_TYPES } from "./vocabulary.ts";

/** Files of a checkpoint folder, by name. */
export type TextFiles = Readonly<Record<string, string | Uint8Array>>;

const json = (files: TextFiles, name: string): JsonObject | undefined => {
  const text = textFile(files, name);
  if (text === undefined) return undefined;
  const value = parseStrictJson(text, { what: name, nonFinite: true });
  if (!isJsonObject(value)) throw new FormatError(`${name}: must be a JSON object`);
  return value;
};

function textFile(files: TextFiles, name: string): string | undefined {
  const file = files[name];
  return typeof file === "object" ? new TextDecoder().decode(file) : file;
}

/**
 * The metadata of a GGUF file that a checkpoint folder's files make: the inverse of `ggufTextFiles`. Vocabularies of byte-level BPE are written, filled up to the
 * rows of the model's embedding; without a `tokenizer.json` the file says that it has none.
 * Errors: {@link ArgumentError} for a tokenizer of another kind, or one that cuts text in a way that llama.cpp does not know; {@link FormatError}.
 */
export function ggufTextValues(files: TextFiles, vocabSize: number): Record<string, GgufValue> {
  const config = json(files, "tokenizer_config.json") ?? {};
  const template = textFile(files, "chat_template.jinja") ?? config.chat_template;
  const tokenizer = json(files, "tokenizer.json");
  return {
    ...(tokenizer === undefined
      ? { "tokenizer.ggml.model": { type: "string", value: "none" } as const }
      : tokenizerValues(tokenizer, config, vocabSize)),
    ...(typeof template === "string"
      ? { "tokenizer.chat_template": { type: "string", value: template } as const }
      : {}),
    ...samplingValues(json(files, "generation_config.json") ?? {}),
  };
}

function tokenizerValues(file: JsonObject, config: JsonObject, vocabSize: number): Record<string, GgufValue> {
  const model = isJsonObject(file.model) ? file.model : {};
  const decoder = isJsonObject(file.decoder) ? file.decoder.type : undefined;
  const plain = file.normalizer === null || isJsonObject(file.normalizer); // of Unicode: llama.cpp goes without
  if (model.type !== "BPE" || decoder !== "ByteLevel" || !isJsonObject(model.vocab) || !plain)
    throw new ArgumentError(`GGUF: tokenizer.json must be of byte-level BPE, got ${quote(String(model.type))}`);
  const merges = Array.isArray(model.merges) ? model.merges.map(mergeText) : [];
  // Where nothing is merged, it does not matter how text is cut.
  const pre = splitterName(file.pre_tokenizer) ?? (merges.length === 0 ? "gpt-2" : undefined);
  if (pre === undefined)
    throw new ArgumentError("GGUF: llama.cpp does not know how this tokenizer.json cuts text (its pre_tokenizer)");
  const { tokens, types } = vocabularyOf(model.vocab, file.added_tokens, vocabSize);
  const idOf = (key: string): number => {
    const token = config[key];
    const text = isJsonObject(token) ? token.content : token;
    return typeof text === "string" ? tokens.indexOf(text) : -1;
  };
  const ids = {
    bos_token_id: idOf("bos_token"),
    eos_token_id: idOf("eos_token"),
    unknown_token_id: idOf("unk_token"),
    padding_token_id: idOf("pad_token"),
  };
  const known = Object.entries(ids).filter(([, id]) => id >= 0);
  return {
    "tokenizer.ggml.model": { type: "string", value: "gpt2" },
    "tokenizer.ggml.pre": { type: "string", value: pre },
    "tokenizer.ggml.tokens": { type: "array", items: "string", value: GgufStrings.of(tokens) },
    "tokenizer.ggml.token_type": { type: "array", items: "int32", value: types },
    "tokenizer.ggml.merges": { type: "array", items: "string", value: GgufStrings.of(merges) },
    ...Object.fromEntries(known.map(([key, value]) => [`tokenizer.ggml.${key}`, { type: "uint32", value } as const])),
    "tokenizer.ggml.add_bos_token": { type: "bool", value: beginsWithBos(file.post_processor) },
  };
}

function vocabularyOf(
  vocab: JsonObject,
  added: JsonValue | undefined,
  vocabSize: number,
): { readonly tokens: readonly string[]; readonly types: Int32Array } {
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(vocabSize).fill(TOKEN_TYPES.unused);
  const put = (token: string, id: JsonValue | undefined, type: number): void => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabSize)
      throw new ArgumentError(
        `GGUF: token ${quote(token)} must have an id below the model's ${vocabSize}, got ${String(id)}`,
      );
    tokens[id] = token;
    types[id] = type;
  };
  for (const token of Object.keys(vocab)) put(token, vocab[token], TOKEN_TYPES.normal);
  for (const token of Array.isArray(added) ? added : [])
    if (isJsonObject(token) && typeof token.content === "string")
      put(token.content, token.id, token.special === true ? TOKEN_TYPES.control : TOKEN_TYPES.user);
  return { tokens, types };
}

/** Merges are written as a text with a space between, or as pairs. */
function mergeText(merge: JsonValue): string {
  if (typeof merge === "string") return merge;
  if (Array.isArray(merge) && merge.length === 2) return merge.join(" ");
  throw new FormatError("tokenizer.json: merges must be pairs");
}

/** Whether every text begins with a special token. */
function beginsWithBos(part: JsonValue | undefined): boolean {
  if (!isJsonObject(part)) return false;
  if (part.type === "Sequence") return Array.isArray(part.processors) && part.processors.some(beginsWithBos);
  const [first] = Array.isArray(part.single) ? part.single : [];
  return part.type === "TemplateProcessing" && isJsonObject(first) && isJsonObject(first.SpecialToken);
}

function samplingValues(config: JsonObject): Record<string, GgufValue> {
  const found: Record<string, GgufValue> = {};
  for (const [ours, key] of SAMPLING_KEYS) {
    const value = config[ours];
    if (typeof value === "number") found[key] = { type: ours === "top_k" ? "int32" : "float32", value };
  }
  if (config.do_sample === false) found["general.sampling.temp"] = { type: "float32", value: 0 };
  return found;
}
