import { ArgumentError, FormatError } from "@statespace/core";
import { byteOfCharacter } from "./byteAlphabet.ts";
import { checkDecodeOptions, checkId, decodeBytes, type DecodeOptions, NO_BYTES, type Tokenizer } from "./tokenizer.ts";
import type { TokenizerJson } from "./tokenizerJson.ts";

/** Ids of the tokens that begin and end a text, where there are such. */
export interface SpecialTokens {
  readonly bosId?: number;
  readonly eosId?: number;
}

/** What is used of a `Tokenizer` of `@huggingface/tokenizers`, told here so that a program's type check does not depend on that package's types. */
export interface TokenizerLibrary {
  encode(text: string): { readonly ids: readonly number[] };
  decode(
    ids: number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): ReadonlyMap<number, { readonly special: boolean }>;
  get_vocab(withAddedTokens: boolean): ReadonlyMap<string, number>;
}

/** Any `tokenizer.json`, through `@huggingface/tokenizers`. Made by `loadTokenizer`. */
export class HuggingFaceTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosId?: number;
  readonly eosId?: number;
  readonly tokenBytes?: (id: number, options?: DecodeOptions) => Uint8Array;
  readonly #library: TokenizerLibrary;
  readonly #json: string;

  constructor(library: TokenizerLibrary, json: TokenizerJson, text: string, special: SpecialTokens = {}) {
    this.#library = library;
    this.#json = text;
    let largest = -1;
    for (const id of library.get_vocab(true).values()) largest = Math.max(largest, id);
    this.vocabSize = largest + 1;
    if (special.bosId !== undefined) this.bosId = special.bosId;
    if (special.eosId !== undefined) this.eosId = special.eosId;
    if (isByteLevel(json)) this.tokenBytes = this.#byteLevelDecoder();
  }

  /** Errors: {@link ArgumentError} for text that the vocabulary has no tokens for. */
  encode(text: string): Int32Array {
    const ids = this.#run("encode", () => this.#library.encode(text).ids);
    // A vocabulary without a token for what is unknown has no id there.
    if (!ids.every((id) => Number.isInteger(id)))
      throw new ArgumentError("tokenizer: the text holds what is not in the vocabulary, which has no unknown token");
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkDecodeOptions(options);
    const { tokenBytes } = this;
    if (tokenBytes !== undefined) return decodeBytes(Array.from(ids, (id) => tokenBytes(id, options)));
    for (let i = 0; i < ids.length; i++) checkId("tokenizer", ids[i]);
    const list = Array.from(ids).filter((id) => this.#library.id_to_token(id) !== undefined);
    // The library refuses an empty list; and its clean-up of spaces would make the text differ from the tokens'.
    if (list.length === 0) return "";
    const settings = { skip_special_tokens: !(options.special ?? false), clean_up_tokenization_spaces: false };
    return this.#run("decode", () => this.#library.decode(list, settings));
  }

  /** What the library stumbles over is the file's fault. */
  #run<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new FormatError(`tokenizer.json: cannot ${what} with it: ${String(cause)}`, { cause });
    }
  }

  toJson(): string {
    return this.#json;
  }

  /** Byte-level BPE writes each byte as one character of an alphabet; added tokens are plain text. */
  #byteLevelDecoder(): (id: number, options?: DecodeOptions) => Uint8Array {
    const byteOf = byteOfCharacter();
    const added = this.#library.get_added_tokens_decoder();
    const cache = new Map<number, Uint8Array>();
    const encoder = new TextEncoder();
    return (id, { special = false } = {}) => {
      const addedToken = added.get(id);
      if (addedToken?.special === true && !special) return NO_BYTES;
      let bytes = cache.get(id);
      if (bytes === undefined) {
        checkId("tokenizer", id);
        const token = this.#library.id_to_token(id) ?? "";
        const plain = addedToken !== undefined || [...token].some((character) => !byteOf.has(character));
        bytes = plain ? encoder.encode(token) : Uint8Array.from(token, (character) => byteOf.get(character) as number);
        cache.set(id, bytes);
      }
      return bytes;
    };
  }
}

function isByteLevel(json: TokenizerJson): boolean {
  const { decoder } = json;
  if (decoder?.type === "ByteLevel") return true;
  return (
    decoder?.type === "Sequence" &&
    Array.isArray(decoder.decoders) &&
    decoder.decoders.length === 1 &&
    decoder.decoders[0]?.type === "ByteLevel"
  );
}
