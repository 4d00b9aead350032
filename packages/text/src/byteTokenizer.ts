import { refuseUnknown } from "@statespace/core/backend";
import { byteCharacters } from "./byteAlphabet.ts";
import { checkDecodeOptions, checkId, decodeBytes, type DecodeOptions, NO_BYTES, type Tokenizer } from "./tokenizer.ts";
import { writeTokenizerJson } from "./tokenizerJson.ts";

/** What a `ByteTokenizer` knows beside the 256 bytes. */
export interface ByteTokenizerOptions {
  /** Special tokens, from id 256 on; the first ends a text. */
  readonly special?: readonly string[];
}

/** A token is a byte of UTF-8 and its id the byte's value: every text can be written, nothing is learned. */
export class ByteTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosId?: number;
  readonly #special: readonly string[];

  constructor(options: ByteTokenizerOptions = {}) {
    refuseUnknown("ByteTokenizer", options, ["special"], { specialTokens: "special" });
    this.#special = [...(options.special ?? [])];
    this.vocabSize = 256 + this.#special.length;
    if (this.#special.length > 0) this.eosId = 256;
  }

  encode(text: string): Int32Array {
    return Int32Array.from(new TextEncoder().encode(text));
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkDecodeOptions(options);
    return decodeBytes(Array.from(ids, (id) => this.tokenBytes(id, options)));
  }

  tokenBytes(id: number, { special = false }: DecodeOptions = {}): Uint8Array {
    checkId("ByteTokenizer", id);
    if (id < 256) return Uint8Array.of(id);
    return special && id < this.vocabSize ? new TextEncoder().encode(this.#special[id - 256]) : NO_BYTES;
  }

  toJson(): string {
    const vocab = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]));
    return writeTokenizerJson({ vocab, special: this.#special, unknown: null, byteLevel: true });
  }
}
