import { ArgumentError, FormatError, StatespaceError } from "@statespace/core";
import { impostor, openSource, type OpenSourceOptions, type ReadOptions, type SourceLike } from "@statespace/files";
import { byteCharacters } from "./byteAlphabet.ts";
import { readBpe } from "./bpe/readBpe.ts";
import { ByteTokenizer } from "./byteTokenizer.ts";
import { CharTokenizer } from "./charTokenizer.ts";
import { checkTokenizerJson } from "./file/checkTokenizerJson.ts";
import { HuggingFaceTokenizer, type SpecialTokens } from "./huggingFaceTokenizer.ts";
import { fillGaps } from "./libraryGaps.ts";
import { olderTokenizer } from "./olderTokenizerFiles.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { AddedTokenJson, TokenizerJson } from "./tokenizerJson.ts";

const TOKENIZER_FILE = "tokenizer.json";
const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";

/**
 * The tokenizer of a model: a folder, a URL, a name on the hub, files or a source, from `tokenizer.json`, a sentencepiece `tokenizer.model`, or
 * `vocab.json` with `merges.txt`; `undefined` if there is none of them. A large vocabulary takes a second or two to build: use a worker in a page.
 * Errors: {@link FormatError} if the file is not a tokenizer; {@link SourceError}; {@link AbortedError}.
 */
export async function loadTokenizer(
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions = {},
): Promise<Tokenizer | undefined> {
  const source = openSource(from, options);
  const reading = { signal: options.signal, onProgress: options.onProgress };
  const bytes = await source.read(TOKENIZER_FILE, reading);
  const config = await source.read(TOKENIZER_CONFIG_FILE, { signal: options.signal });
  const decoder = new TextDecoder();
  const configText = config === undefined ? "{}" : decoder.decode(config);
  if (bytes === undefined) {
    const older = await olderTokenizer(source, configText, reading);
    return older && parseTokenizer(older.json, older.config);
  }
  const fault = impostor(bytes);
  if (fault !== undefined) throw new FormatError(`${TOKENIZER_FILE}: ${fault}`);
  return parseTokenizer(decoder.decode(bytes), configText);
}

/**
 * {@link loadTokenizer} from the texts of `tokenizer.json` and `tokenizer_config.json`. What the file builds is tried on a short text, so that one that
 * cannot work is told here.
 * Errors: {@link FormatError} for anything that is no tokenizer, whatever is wrong with it; also for expressions that can take exponential time.
 */
export async function parseTokenizer(text: string, configText = "{}"): Promise<Tokenizer> {
  const json = parseObject(text, TOKENIZER_FILE);
  const config = parseObject(configText, TOKENIZER_CONFIG_FILE);
  checkTokenizerJson(json);
  try {
    const tokenizer = await build(json as unknown as TokenizerJson, text, config);
    attempt(tokenizer);
    return tokenizer;
  } catch (error) {
    if (error instanceof StatespaceError) throw error;
    throw new FormatError(
      `${TOKENIZER_FILE}: cannot be built: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** Letters, a number, signs, white space, and characters that most vocabularies have in pieces only. */
const TRIAL = "It's 2.5 €\n\n naïve 中文 😀";

function attempt(tokenizer: Tokenizer): void {
  try {
    tokenizer.decode(tokenizer.encode(TRIAL));
  } catch (error) {
    // That a small vocabulary does not hold all of it is no fault.
    if (!(error instanceof ArgumentError)) throw error;
  }
}

async function build(json: TokenizerJson, text: string, config: Record<string, unknown>): Promise<Tokenizer> {
  const own = recogniseOwn(json) ?? recogniseBpe(json, text, config);
  if (own !== undefined) return own;
  const { Tokenizer: Library } = await import("@huggingface/tokenizers");
  const library = new Library(json, config);
  fillGaps(library, json);
  return new HuggingFaceTokenizer(
    library,
    json,
    text,
    specialIds(config, (token) => library.token_to_id(token)),
  );
}

/** The files that make a folder load with the same tokenizer here and in Hugging Face's libraries. */
export function tokenizerFiles(tokenizer: Tokenizer): Record<string, string> {
  const eos = tokenizer.eosId === undefined ? undefined : tokenizer.decode([tokenizer.eosId], { special: true });
  const bos = tokenizer.bosId === undefined ? undefined : tokenizer.decode([tokenizer.bosId], { special: true });
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    ...(bos === undefined ? {} : { bos_token: bos }),
    ...(eos === undefined ? {} : { eos_token: eos }),
  };
  return { [TOKENIZER_FILE]: tokenizer.toJson(), [TOKENIZER_CONFIG_FILE]: `${JSON.stringify(config, null, 2)}\n` };
}

function parseObject(text: string, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${file}: not valid JSON`, { cause: error });
  }
  if (!isObject(value)) throw new FormatError(`${file}: must be a JSON object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function specialIds(config: Record<string, unknown>, idOf: (token: string) => number | undefined): SpecialTokens {
  const find = (key: string): number | undefined => {
    const value = config[key];
    const token = isObject(value) ? value.content : value;
    return typeof token === "string" ? idOf(token) : undefined;
  };
  const bosId = find("bos_token");
  const eosId = find("eos_token");
  return { ...(bosId === undefined ? {} : { bosId }), ...(eosId === undefined ? {} : { eosId }) };
}

/** A file as our own byte and character tokenizers write it, which need no library; `undefined` for any other. */
function recogniseOwn(json: TokenizerJson): Tokenizer | undefined {
  const { vocab, merges, type, unk_token: unknown } = json.model;
  const added = json.added_tokens ?? [];
  const plain = type === "BPE" && Array.isArray(merges) && merges.length === 0 && isObject(vocab) && isBare(json);
  if (!plain || !Array.isArray(added) || !added.every(isSpecial)) return undefined;
  const tokens = inOrder(vocab);
  if (tokens === undefined || added.some(({ id }, i) => id !== tokens.length + i)) return undefined;
  const special = added.map(({ content }) => content);
  if (json.decoder?.type === "Fuse" && json.pre_tokenizer === null) {
    if (!tokens.every((token) => [...token].length === 1 && !/\p{Surrogate}/u.test(token))) return undefined;
    if (typeof unknown === "string" && !tokens.includes(unknown)) return undefined;
    return new CharTokenizer(tokens, { special, ...(typeof unknown === "string" ? { unknown } : {}) });
  }
  const bytes = byteCharacters();
  const isBytes =
    json.decoder?.type === "ByteLevel" && tokens.length === 256 && tokens.every((token, id) => token === bytes[id]);
  const prefixes = isObject(json.pre_tokenizer) && json.pre_tokenizer.add_prefix_space !== false;
  return isBytes && !prefixes ? new ByteTokenizer({ special }) : undefined;
}

/** A file as our own BPE writes it, whose texts begin and end with the tokens that ours do. */
function recogniseBpe(json: TokenizerJson, text: string, config: Record<string, unknown>): Tokenizer | undefined {
  const pre = json.pre_tokenizer;
  const cuts = isObject(pre) && pre.type === "ByteLevel" && pre.add_prefix_space === false && pre.use_regex === true;
  if (!cuts || json.decoder?.type !== "ByteLevel" || !isBare(json) || !json.added_tokens?.every(isSpecial))
    return undefined;
  try {
    const bpe = readBpe(text);
    const special = specialIds(config, (token) => bpe.specialTokens.indexOf(token));
    const same = (special.bosId ?? -1) < 0 && (special.eosId ?? bpe.eosId) === bpe.eosId;
    return same ? bpe : undefined;
  } catch {
    // Another layout of ids; the library reads it.
    return undefined;
  }
}

/** Nothing changes the text before or the ids after the model. */
function isBare(json: TokenizerJson): boolean {
  const { normalizer, post_processor: postProcessor } = json as { normalizer?: unknown; post_processor?: unknown };
  return (normalizer ?? null) === null && (postProcessor ?? null) === null;
}

function isSpecial(token: unknown): token is AddedTokenJson {
  return isObject(token) && Number.isInteger(token.id) && typeof token.content === "string" && token.special === true;
}

/** The tokens by id, if the ids are 0, 1, 2, ... */
function inOrder(vocab: Record<string, unknown>): string[] | undefined {
  const entries = Object.entries(vocab);
  const tokens = new Array<string>(entries.length);
  for (const [token, id] of entries) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= tokens.length || tokens[id] !== undefined)
      return undefined;
    tokens[id] = token;
  }
  return tokens;
}
