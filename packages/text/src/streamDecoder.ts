import { refuseUnknown } from "@statespace/core/backend";
import { NO_BYTES, type DecodeOptions, type Tokenizer } from "./tokenizer.ts";
import { StopFilter } from "./stopStrings.ts";

/** How a `StreamDecoder` makes text of tokens and where it ends. */
export interface StreamDecoderOptions extends DecodeOptions {
  /** Texts that end the stream; they are not part of it. */
  readonly stop?: readonly string[];
  /** Ids that were read before the stream: some tokenizers write a token otherwise at the beginning of a text (they drop its space). */
  readonly prompt?: ArrayLike<number>;
}

/**
 * Turns tokens into text as they come. A character whose bytes are spread over several tokens appears when it is complete, and text that may begin a stop string
 * when it turns out not to. All pieces together are `tokenizer.decode` of all tokens, less that of the prompt, up to the stop string.
 */
export class StreamDecoder {
  readonly #pieces: PieceDecoder;
  readonly #stops: StopFilter;
  readonly #vocabSize: number;

  /** Errors: {@link ArgumentError} for an empty stop string. */
  constructor(tokenizer: Pick<Tokenizer, "vocabSize" | "decode" | "tokenBytes">, options: StreamDecoderOptions = {}) {
    refuseUnknown("StreamDecoder", options, ["special", "stop", "prompt"], {
      skipSpecialTokens: "special",
      stopStrings: "stop",
    });
    const decodeOptions: DecodeOptions = { special: options.special ?? false };
    this.#stops = new StopFilter(options.stop ?? []);
    this.#vocabSize = tokenizer.vocabSize;
    const read = Array.from(options.prompt ?? []).filter((id) => id < tokenizer.vocabSize);
    this.#pieces =
      tokenizer.tokenBytes === undefined
        ? new WindowDecoder(tokenizer, decodeOptions, read.slice(-LONGEST_WINDOW))
        : new ByteDecoder((id) => tokenizer.tokenBytes?.(id, decodeOptions), read.slice(-LONGEST_WINDOW));
  }

  /** Whether a stop string was met; no text follows. */
  get stopped(): boolean {
    return this.#stops.found !== undefined;
  }

  /** The stop string that was met. */
  get stopString(): string | undefined {
    return this.#stops.found;
  }

  /** Takes the next token and returns the text that is certain now, often empty. An id past the vocabulary, one of the embedding's padding rows, has no text. */
  push(id: number): string {
    if (this.stopped || id >= this.#vocabSize) return "";
    return this.#stops.push(this.#pieces.push(id));
  }

  /** The rest, at the end of the stream: an unfinished character becomes U+FFFD, an unfinished stop string is text. */
  flush(): string {
    if (this.stopped) return "";
    const text = this.#stops.push(this.#pieces.flush());
    return this.stopped ? text : text + this.#stops.flush();
  }
}

interface PieceDecoder {
  push(id: number): string;
  flush(): string;
}

/** For tokenizers whose tokens are bytes. */
class ByteDecoder implements PieceDecoder {
  // ignoreBOM keeps a leading U+FEFF, which is text here.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #bytes: (id: number) => Uint8Array | undefined;
  /** Bytes of a character may wait in the decoder. */
  #inside = false;

  /** @param shown ids whose text is out already; the last may have begun a character. */
  constructor(bytes: (id: number) => Uint8Array | undefined, shown: readonly number[]) {
    this.#bytes = bytes;
    for (const id of shown) this.push(id);
  }

  push(id: number): string {
    const bytes = this.#bytes(id) ?? NO_BYTES;
    const plain = bytes.every((byte) => byte < 0x80);
    // The decoder costs several microseconds a call, and most tokens are ASCII between whole characters.
    if (plain && !this.#inside) return String.fromCharCode(...bytes);
    const text = this.#utf8.decode(bytes, { stream: true });
    if (bytes.length > 0) this.#inside = !plain;
    return text;
  }

  flush(): string {
    return this.#utf8.decode();
  }
}

/** No character and no decoder's look-back reaches further; bounds the work on a stream of nothing but broken bytes. */
const LONGEST_WINDOW = 64;
/** Bytes of UTF-8 before a character's last. */
const LONGEST_CHARACTER = 3;

/**
 * For any other tokenizer: decodes the last few tokens with and without the new ones; the difference is the new text.
 * The older tokens stay in the window because some decoders treat the first token of a text differently (they drop its space).
 */
class WindowDecoder implements PieceDecoder {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #options: DecodeOptions;
  #shown: number[];
  #pending: number[];

  /** @param shown ids whose text is out already. */
  constructor(tokenizer: Pick<Tokenizer, "decode">, options: DecodeOptions, shown: readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    const begun = this.#begunCharacter(shown);
    this.#shown = shown.slice(0, shown.length - begun);
    this.#pending = shown.slice(shown.length - begun);
  }

  /** How many tokens at the end, each a byte, begin a character that is still to come. */
  #begunCharacter(ids: readonly number[]): number {
    const unfinished = (count: number): boolean =>
      this.#tokenizer.decode(ids.slice(0, ids.length - count), this.#options).endsWith("\ufffd");
    let count = 0;
    while (count < Math.min(ids.length, LONGEST_CHARACTER) && unfinished(count)) count++;
    return unfinished(count) ? 0 : count;
  }

  push(id: number): string {
    this.#pending.push(id);
    const text = this.#newText();
    // U+FFFD at the end may be the first bytes of a character.
    const unfinished = text === "" || text.endsWith("\ufffd");
    return unfinished && this.#pending.length < LONGEST_WINDOW ? "" : this.#advance(text);
  }

  flush(): string {
    return this.#advance(this.#newText());
  }

  #newText(): string {
    const before = this.#tokenizer.decode(this.#shown, this.#options);
    const after = this.#tokenizer.decode([...this.#shown, ...this.#pending], this.#options);
    return after.slice(before.length);
  }

  #advance(text: string): string {
    this.#shown = this.#pending;
    this.#pending = [];
    return text;
  }
}
