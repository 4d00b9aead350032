import { FormatError } from "@statespace/core";
import {
  GENERATION_CONFIG_FILE,
  openSource,
  readJson,
  type JsonObject,
  type OpenSourceOptions,
  type ReadOptions,
  type SourceLike,
} from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import type { StreamOptions } from "./options.ts";

const OWNER = { what: GENERATION_CONFIG_FILE, error: (message: string): FormatError => new FormatError(message) };

/**
 * What a `generation_config.json` of Hugging Face transformers says about sampling, as defaults of a `Session`: `do_sample`,
 * `temperature`, `top_k`, `top_p`, `min_p`, `typical_p`, `repetition_penalty`, `no_repeat_ngram_size`, `min_new_tokens`, `min_length`, `max_new_tokens` and `eos_token_id`, one or a list. What it does not
 * say stays as it is here; other fields are passed over.
 * @throws FormatError naming the field that is out of its range.
 */
export function parseGenerationConfig(json: JsonObject): StreamOptions {
  const fields = new ConfigFields(json, "", OWNER);
  const told = <T>(key: string, read: () => T): T | undefined => (fields.has(key) ? read() : undefined);
  const all: StreamOptions = given({
    // A file that says not to sample may still name a temperature.
    temperature: told("temperature", () => fields.number("temperature", undefined, { min: 0 })),
    greedy: told("do_sample", () => !fields.boolean("do_sample", true)),
    topK: told("top_k", () => fields.integer("top_k", undefined, { min: 0 })),
    topP: told("top_p", () => fields.number("top_p", undefined, { min: 0, max: 1, above: true })),
    minP: told("min_p", () => fields.number("min_p", undefined, { min: 0, max: 1 })),
    repetitionPenalty: told("repetition_penalty", () =>
      fields.number("repetition_penalty", undefined, { min: 0, above: true }),
    ),
    typicalP: told("typical_p", () => fields.number("typical_p", undefined, { min: 0, max: 1, above: true })),
    noRepeatNgramSize: told("no_repeat_ngram_size", () =>
      fields.integer("no_repeat_ngram_size", undefined, { min: 0 }),
    ),
    minNewTokens: told("min_new_tokens", () => fields.integer("min_new_tokens", undefined, { min: 0 })),
    minLength: told("min_length", () => fields.integer("min_length", undefined, { min: 0 })),
    maxNewTokens: told("max_new_tokens", () => fields.integer("max_new_tokens", undefined)),
    eosTokenIds: told("eos_token_id", () => fields.tokenIds("eos_token_id", null, 2 ** 24)),
  });
  return all;
}

/** The defaults in a checkpoint's `generation_config.json`, none where there is no such file. @throws FormatError; SourceError; AbortedError. */
export async function loadGenerationConfig(
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions = {},
): Promise<StreamOptions> {
  const json = await readJson(openSource(from, options), GENERATION_CONFIG_FILE, { signal: options.signal });
  return json === undefined ? {} : parseGenerationConfig(json);
}

function given(options: Readonly<Record<string, unknown>>): StreamOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
