import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { checkDecodeOptions, checkId, type DecodeOptions, type Tokenizer } from "./tokenizer.ts";
import { writeTokenizerJson } from "./tokenizerJson.ts";

/** Half of a surrogate pair: no character, and not expressible in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What a `CharTokenizer` knows beside its characters. */
export interface CharTokenizerOptions {
  /** Special tokens, after the characters; the first ends a text. */
  readonly special?: readonly string[];
  /** One of the characters, which stands for those that are not in the vocabulary; without it they are an error. */
  readonly unknown?: string;
}

/** A token is a character (Unicode code point) of a fixed list. */
export class CharTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosId?: number;
  readonly characters: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #special: readonly string[];
  readonly #unknown: string | undefined;

  /** Errors: {@link ArgumentError} if an entry is not one character, appears twice, or `unknown` is not among them. */
  constructor(characters: readonly string[], options: CharTokenizerOptions = {}) {
    refuseUnknown("CharTokenizer", options, ["special", "unknown"], { specialTokens: "special", unkToken: "unknown" });
    this.characters = [...characters];
    this.#special = [...(options.special ?? [])];
    this.#unknown = options.unknown;
    this.#ids = new Map(this.characters.map((character, id) => [character, id]));
    const bad = this.characters.find(
      (character) => typeof character !== "string" || [...character].length !== 1 || LONE_SURROGATE.test(character),
    );
    if (bad !== undefined)
      throw new ArgumentError(`CharTokenizer: entries must be one character each, got ${JSON.stringify(bad)}`);
    if (this.#ids.size !== this.characters.length) throw new ArgumentError("CharTokenizer: characters must not repeat");
    if (options.unknown !== undefined && !this.#ids.has(options.unknown))
      throw new ArgumentError("CharTokenizer: unknown must be one of the characters");
    this.vocabSize = this.characters.length + this.#special.length;
    if (this.#special.length > 0) this.eosId = this.characters.length;
  }

  /** The vocabulary of a text: its characters by code point, so that the order of the text does not matter. Errors: {@link ArgumentError} for empty text. */
  static fromText(text: string, options: CharTokenizerOptions = {}): CharTokenizer {
    if (text === "") throw new ArgumentError("CharTokenizer: text must not be empty");
    const characters = new Set(text.replaceAll(new RegExp(LONE_SURROGATE, "gu"), "\ufffd"));
    if (options.unknown !== undefined) characters.add(options.unknown);
    return new CharTokenizer(
      [...characters].sort((a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number)),
      options,
    );
  }

  encode(text: string): Int32Array {
    const unknownId = this.#unknown === undefined ? undefined : this.#ids.get(this.#unknown);
    const ids = Array.from(text, (character) => this.#ids.get(character) ?? unknownId ?? -1);
    const missing = ids.indexOf(-1);
    if (missing >= 0)
      throw new ArgumentError(
        `CharTokenizer: character ${JSON.stringify([...text][missing])} is not in the vocabulary (character ${missing} of the text)`,
      );
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkDecodeOptions(options);
    return Array.from(ids, (id) => this.#text(id, options)).join("");
  }

  tokenBytes(id: number, options: DecodeOptions = {}): Uint8Array {
    return new TextEncoder().encode(this.#text(id, options));
  }

  toJson(): string {
    const vocab = Object.create(null) as Record<string, number>;
    this.characters.forEach((character, id) => (vocab[character] = id));
    return writeTokenizerJson({ vocab, special: this.#special, unknown: this.#unknown ?? null, byteLevel: false });
  }

  #text(id: number, { special = false }: DecodeOptions): string {
    checkId("CharTokenizer", id);
    if (id < this.characters.length) return this.characters[id];
    return special && id < this.vocabSize ? this.#special[id - this.characters.length] : "";
  }
}
