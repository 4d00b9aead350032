import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";

/** Text to token ids and back. */
export interface Tokenizer {
  /** One more than the largest id. A model's embedding may be larger, padded; those ids have no text. */
  readonly vocabSize: number;
  readonly bosId?: number;
  readonly eosId?: number;
  /** Errors: {@link ArgumentError} if the text holds something the vocabulary cannot express. */
  encode(text: string): Int32Array;
  /** Special tokens are left out unless `special`. Bytes that are not UTF-8 become U+FFFD. Errors: {@link ArgumentError} for what is no id. */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /**
   * The UTF-8 bytes a token stands for, which may be part of a character; empty for special tokens unless `special`.
   * Absent if the tokenizer's text is not just its tokens' bytes in a row.
   */
  readonly tokenBytes?: (id: number, options?: DecodeOptions) => Uint8Array;
  /** `tokenizer.json`, which Hugging Face's libraries load. */
  toJson(): string;
}

/** How tokens become text. */
export interface DecodeOptions {
  /** Write special tokens (such as `<|endoftext|>`) out as text. */
  readonly special?: boolean;
}

/** What a token without text stands for. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Errors: {@link ArgumentError} unless it is a whole number >= 0. Ids past the vocabulary are a padded embedding's, and have no text. */
export function checkId(where: string, id: number): void {
  if (!Number.isInteger(id) || id < 0) throw new ArgumentError(`${where}: id must be a whole number >= 0, got ${id}`);
}

/** The text of tokens whose bytes are known one by one. */
export function decodeBytes(parts: readonly Uint8Array[]): string {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.byteLength;
  }
  // ignoreBOM keeps a leading U+FEFF, which is text here.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** @throws ArgumentError for an option of decoding that there is not. */
export function checkDecodeOptions(options: DecodeOptions): void {
  refuseUnknown("decode", options, ["special"], { skipSpecialTokens: "special" });
}
