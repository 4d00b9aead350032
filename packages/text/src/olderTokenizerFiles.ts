import { FormatError } from "@statespace/core";
import { impostor, type ReadOptions, type Source } from "@statespace/files";
import { readSentencePiece } from "./sentencePiece/readModel.ts";
import { sentencePieceJson } from "./sentencePiece/toTokenizerJson.ts";
import { splitTokenizerJson } from "./splitTokenizer.ts";

type Json = Record<string, unknown>;

/** Classes whose texts begin with the token for that, unless the config says otherwise. */
const BEGINNING = /^(?:Code)?(?:Llama|Gemma|Mistral)/;

/** A `tokenizer.json` and a `tokenizer_config.json`. */
export interface TokenizerTexts {
  readonly json: string;
  readonly config: string;
}

/**
 * The tokenizer of a folder without `tokenizer.json`: a sentencepiece `tokenizer.model`, or `vocab.json` with `merges.txt`; `undefined` where
 * there is neither.
 * @throws FormatError naming the file that is wrong
 */
export async function olderTokenizer(
  source: Source,
  configText: string,
  options: ReadOptions,
): Promise<TokenizerTexts | undefined> {
  const config = parse(configText, "tokenizer_config.json");
  const read = async (file: string): Promise<Uint8Array | undefined> => {
    const bytes = await source.read(file, options);
    const fault = bytes && impostor(bytes);
    if (fault !== undefined) throw new FormatError(`${file}: ${fault}`);
    return bytes;
  };
  const model = await read("tokenizer.model");
  if (model !== undefined) return ofSentencePiece(model, config);
  const vocab = await read("vocab.json");
  const merges = await read("merges.txt");
  if (vocab === undefined || merges === undefined) {
    if (vocab !== undefined)
      throw new FormatError("vocab.json: needs merges.txt beside it, or a tokenizer.json in their place");
    return undefined;
  }
  const small = async (file: string): Promise<Json> => {
    const bytes = await read(file);
    return bytes === undefined ? {} : parse(text(bytes), file);
  };
  const specialMap = await small("special_tokens_map.json");
  const json = splitTokenizerJson(parse(text(vocab), "vocab.json"), text(merges), {
    config,
    specialMap,
    addedTokens: await small("added_tokens.json"),
  });
  return { json, config: JSON.stringify({ ...specialMap, ...config }) };
}

function ofSentencePiece(bytes: Uint8Array, config: Json): TokenizerTexts {
  const model = readSentencePiece(bytes);
  const named = typeof config.tokenizer_class === "string" && BEGINNING.test(config.tokenizer_class);
  const json = sentencePieceJson(model, {
    addBos: typeof config.add_bos_token === "boolean" ? config.add_bos_token : named,
    addEos: config.add_eos_token === true,
  });
  const token = (id: number): string | undefined => model.pieces[id]?.text;
  const own = { bos_token: token(model.bosId), eos_token: token(model.eosId), unk_token: token(model.unkId) };
  const said = Object.entries(config).filter(([, value]) => value !== null);
  return { json, config: JSON.stringify({ ...own, ...Object.fromEntries(said) }) };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function parse(json: string, file: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new FormatError(`${file}: not valid JSON`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError(`${file}: must be a JSON object`);
  return value as Json;
}
