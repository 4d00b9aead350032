import { FormatError } from "@statespace/core";

/** Cuts texts into words before the merges, by the class of the tokenizer that a folder names. */
const QWEN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

type Json = Record<string, unknown>;

/**
 * `tokenizer.json` of the files that byte-level BPE had before it: `vocab.json`, `merges.txt`, and what `tokenizer_config.json`,
 * `special_tokens_map.json` and `added_tokens.json` say of further tokens.
 * @throws FormatError naming the file that is wrong, or a class of tokenizers that cuts texts in a way of its own
 */
export function splitTokenizerJson(
  vocab: Json,
  merges: string,
  { config, specialMap, addedTokens }: SplitFiles,
): string {
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0)
      throw new FormatError(`vocab.json: the id of ${JSON.stringify(token)} must be a whole number from 0`);
    ids.set(token, id);
  }
  const lines = merges.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version"));
  const pairs = lines.map((line, i) => {
    const parts = line.split(" ");
    if (parts.length !== 2)
      throw new FormatError(`merges.txt: merge ${i + 1} must be two tokens, got ${JSON.stringify(line.slice(0, 80))}`);
    return parts;
  });
  const added = addedOf(ids, config, specialMap, addedTokens);
  const qwen = String(config.tokenizer_class ?? "").startsWith("Qwen");
  const known =
    /^(?:GPT2|GPTNeoX|CodeGen|Qwen2(?:\.5)?|Qwen3|Roberta|OPT)?Tokenizer(?:Fast)?$|^PreTrainedTokenizerFast$|^$/;
  if (!known.test(String(config.tokenizer_class ?? "")))
    throw new FormatError(
      `vocab.json: how ${String(config.tokenizer_class)} cuts texts is not known; a tokenizer.json says it, which transformers writes: AutoTokenizer.from_pretrained(...).save_pretrained(...)`,
    );
  const bytes = {
    type: "ByteLevel",
    add_prefix_space: config.add_prefix_space === true,
    trim_offsets: true,
    use_regex: !qwen,
  };
  const words = { type: "Split", pattern: { Regex: QWEN }, behavior: "Isolated", invert: false };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: qwen ? { type: "NFC" } : null,
    pre_tokenizer: qwen ? { type: "Sequence", pretokenizers: [words, bytes] } : bytes,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(ids),
      merges: pairs,
    },
  });
}

/** The small files beside `vocab.json` and `merges.txt`; empty where they are not there. */
export interface SplitFiles {
  readonly config: Json;
  readonly specialMap: Json;
  readonly addedTokens: Json;
}

/** Tokens that stand for themselves, wherever they are told, each once. */
function addedOf(vocab: ReadonlyMap<string, number>, config: Json, specialMap: Json, addedTokens: Json): object[] {
  const found = new Map<string, object>();
  const add = (content: unknown, id: number | undefined, special: boolean): void => {
    if (typeof content !== "string" || id === undefined || found.has(content)) return;
    found.set(content, { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  };
  const decoder = config.added_tokens_decoder;
  for (const [id, token] of Object.entries(isObject(decoder) ? decoder : {}))
    if (isObject(token)) add(token.content, Number(id), token.special === true);
  const named = [
    ...Object.values(specialMap).flat(),
    ...["bos_token", "eos_token", "unk_token", "pad_token"].map((key) => config[key]),
  ];
  for (const value of named) {
    const content = isObject(value) ? value.content : value;
    if (typeof content !== "string") continue;
    const id = addedTokens[content] ?? vocab.get(content);
    add(content, typeof id === "number" ? id : undefined, true);
  }
  for (const [content, id] of Object.entries(addedTokens)) add(content, typeof id === "number" ? id : undefined, false);
  return [...found.values()].sort((a, b) => (a as { id: number }).id - (b as { id: number }).id);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
