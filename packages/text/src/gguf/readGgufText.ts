import { FormatError } from "@statespace/core";
import { GgufStrings, quote, type GgufNumbers, type GgufValue } from "@statespace/files";
import { preTokenizerOf } from "./splitters.ts";
import { sentencePieceJson } from "./sentencePiece.ts";
import { TOKEN_TYPES, vocabOf, type GgufVocabulary } from "./vocabulary.ts";

type Values = ReadonlyMap<string, GgufValue>;

/**
 * The files that a checkpoint folder has beside its weights, of a GGUF file's metadata: `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and
 * `generation_config.json`, as far as the metadata has what they hold. Vocabularies of byte-level BPE ("gpt2") and of SentencePiece's BPE ("llama") are read.
 * Errors: {@link FormatError} naming the key that is wrong.
 */
export function ggufTextFiles(values: Values): Record<string, string> {
  const files: Record<string, string> = {};
  const template = textOf(values, "tokenizer.chat_template");
  if (template !== undefined) files["chat_template.jinja"] = template;
  const sampling = samplingOf(values);
  if (Object.keys(sampling).length > 0) files["generation_config.json"] = JSON.stringify(sampling, null, 2);
  const model = textOf(values, "tokenizer.ggml.model");
  if (model === undefined || model === "none" || model === "no_vocab") return files;
  const vocabulary = vocabularyOf(values);
  const special = specialTokens(values, vocabulary.tokens);
  files["tokenizer.json"] = JSON.stringify(tokenizerJson(model, vocabulary, values, special.bos_token));
  files["tokenizer_config.json"] = JSON.stringify(
    {
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
      ...special,
    },
    null,
    2,
  );
  return files;
}

function tokenizerJson(model: string, vocabulary: GgufVocabulary, values: Values, bos: string | undefined): object {
  const flag = (key: string): boolean | undefined => {
    const value = values.get(`tokenizer.ggml.${key}`)?.value;
    return typeof value === "boolean" ? value : undefined;
  };
  const shared = { version: "1.0", truncation: null, padding: null, added_tokens: addedTokens(vocabulary) };
  const beginning = (standard: boolean): object | null =>
    bos !== undefined && (flag("add_bos_token") ?? standard) ? beginWith(bos, vocabulary.tokens.indexOf(bos)) : null;
  if (model === "llama")
    return {
      ...shared,
      ...sentencePieceJson(vocabulary, flag("add_space_prefix") ?? true),
      post_processor: beginning(true),
    };
  if (model !== "gpt2")
    throw new FormatError(`"tokenizer.ggml.model" must be "gpt2", "llama" or "none", got ${quote(model)}`);
  return {
    ...shared,
    normalizer: null,
    pre_tokenizer: preTokenizerOf(textOf(values, "tokenizer.ggml.pre") ?? "default"),
    post_processor: beginning(false),
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabOf(vocabulary),
      merges: [...vocabulary.merges],
    },
  };
}

function addedTokens({ tokens, types }: GgufVocabulary): object[] {
  const kinds = new Set<number>([TOKEN_TYPES.control, TOKEN_TYPES.user, TOKEN_TYPES.unknown]);
  return tokens.flatMap((content, id) =>
    kinds.has(types[id])
      ? [
          {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: types[id] !== TOKEN_TYPES.user,
          },
        ]
      : [],
  );
}

/** Every text begins with a token. */
function beginWith(token: string, id: number): object {
  const [begin, a, b] = [
    { SpecialToken: { id: token, type_id: 0 } },
    { Sequence: { id: "A", type_id: 0 } },
    { Sequence: { id: "B", type_id: 1 } },
  ];
  return {
    type: "TemplateProcessing",
    single: [begin, a],
    pair: [begin, a, b],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function vocabularyOf(values: Values): GgufVocabulary {
  const strings = (key: string): readonly string[] | undefined => {
    const value = values.get(key)?.value;
    if (value === undefined) return undefined;
    if (!(value instanceof GgufStrings)) throw new FormatError(`${quote(key)} must be a list of texts`);
    return value.toArray();
  };
  const tokens = strings("tokenizer.ggml.tokens");
  if (tokens === undefined) throw new FormatError('"tokenizer.ggml.tokens" is missing');
  const numbers = (key: string): Exclude<GgufNumbers, BigUint64Array | BigInt64Array> | undefined => {
    const value = values.get(key)?.value;
    if (value === undefined) return undefined;
    const ok = typeof value === "object" && !(value instanceof GgufStrings) && value.length === tokens.length;
    if (!ok || value instanceof BigUint64Array || value instanceof BigInt64Array)
      throw new FormatError(`${quote(key)} must be a list of ${tokens.length} numbers, one for each token`);
    return value;
  };
  return {
    tokens,
    types: numbers("tokenizer.ggml.token_type") ?? new Uint8Array(tokens.length).fill(TOKEN_TYPES.normal),
    scores: numbers("tokenizer.ggml.scores"),
    merges: strings("tokenizer.ggml.merges") ?? [],
  };
}

function specialTokens(values: Values, tokens: readonly string[]): Partial<Record<string, string>> {
  const names = {
    bos_token: "bos_token_id",
    eos_token: "eos_token_id",
    unk_token: "unknown_token_id",
    pad_token: "padding_token_id",
  };
  const found: Record<string, string> = {};
  for (const [name, key] of Object.entries(names)) {
    const id = values.get(`tokenizer.ggml.${key}`)?.value;
    if (id === undefined) continue;
    if (typeof id !== "number" || tokens[id] === undefined)
      throw new FormatError(
        `"tokenizer.ggml.${key}" must be the id of one of ${tokens.length} tokens, got ${String(id)}`,
      );
    found[name] = tokens[id];
  }
  return found;
}

/** Our names for what `general.sampling` says, as a generation_config.json has them. */
const SAMPLING: Readonly<Record<string, string>> = {
  temp: "temperature",
  top_k: "top_k",
  top_p: "top_p",
  min_p: "min_p",
  penalty_repeat: "repetition_penalty",
};

function samplingOf(values: Values): Record<string, number | boolean> {
  const found: Record<string, number | boolean> = {};
  for (const [theirs, ours] of Object.entries(SAMPLING)) {
    const value = values.get(`general.sampling.${theirs}`)?.value;
    if (value === undefined) continue;
    if (typeof value !== "number") throw new FormatError(`"general.sampling.${theirs}" must be a number`);
    // Single precision: 0.8 and not 0.800000011920929.
    found[ours] = Number.isInteger(value) ? value : Number(value.toPrecision(7));
  }
  return Object.keys(found).length === 0 ? found : { do_sample: found.temperature !== 0, ...found };
}

function textOf(values: Values, key: string): string | undefined {
  const value = values.get(key)?.value;
  if (value === undefined || typeof value === "string") return value;
  throw new FormatError(`${quote(key)} must be a text`);
}

/** Keys of `general.sampling` by the names of a generation_config.json. */
export const SAMPLING_KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries(SAMPLING).map(([theirs, ours]) => [ours, `general.sampling.${theirs}`]),
);
