import { AbortedError } from "@statespace/core";
import type { StreamDecoder } from "@statespace/text";
import type { TokenGuide } from "../guides/tokenGuide.ts";
import type { TokenLogprob } from "../logprobs.ts";
import type { TokenOptions } from "../options.ts";
import type { FinishReason } from "../session.ts";

/** A new token of a text, and what text is certain with it. */
export interface GenerationPiece {
  readonly id: number;
  /** Often empty in the middle of a character; always without a tokenizer. */
  readonly text: string;
  readonly logprob?: number;
  readonly topLogprobs?: readonly TokenLogprob[];
  /** It ended the text. */
  readonly done: boolean;
}

/** What a scheduler needs of a text that it goes on with. */
export interface GenerationParts {
  readonly prompt: readonly number[];
  readonly options: TokenOptions;
  readonly eosTokenIds: readonly number[];
  readonly stream: Int32Array; // [4]
  readonly decoder: StreamDecoder | undefined;
}

/**
 * A text that a `Scheduler` goes on with: an iteration of its pieces as they come. Leaving the loop early gives its slot back, as
 * `cancel` and the option `signal` do.
 */
export class Generation implements AsyncIterable<GenerationPiece> {
  readonly prompt: readonly number[];
  readonly options: TokenOptions;
  /** Prompt and new tokens. */
  readonly ids: number[];
  /** Tokens of the prompt that were not read, since a text before began with them; known once the prompt is in. */
  cachedTokens = 0;
  /** Why it ended. */
  finish: FinishReason | undefined;
  /** @internal Used by the scheduler. */
  readonly parts: GenerationParts;
  /** @internal Made when its prompt is in. */
  guides: readonly TokenGuide[] = [];
  readonly #pieces: GenerationPiece[] = [];
  #error: unknown;
  #over = false;
  #cancelled = false;
  #wake: (() => void) | undefined;
  #taken = false;

  constructor(parts: GenerationParts) {
    this.parts = parts;
    this.prompt = parts.prompt;
    this.options = parts.options;
    this.ids = [...parts.prompt];
    const { signal } = parts.options;
    if (signal?.aborted === true) this.fail(new AbortedError("generation: aborted"));
    else signal?.addEventListener("abort", () => this.fail(new AbortedError("generation: aborted")), { once: true });
  }

  /** Nothing more comes of it. */
  get over(): boolean {
    return this.#over;
  }

  /** New tokens so far. */
  get made(): number {
    return this.ids.length - this.prompt.length;
  }

  /** Ends it; what it said so far may still be taken. */
  cancel(): void {
    if (this.#over) return;
    this.#cancelled = true;
    this.end("left");
  }

  /** All of its text, to its end. @throws what its iteration throws. */
  async text(): Promise<string> {
    let all = "";
    for await (const { text } of this) all += text;
    return all;
  }

  /** @throws AbortedError; NonFiniteError; ArgumentError where it is iterated twice. */
  async *[Symbol.asyncIterator](): AsyncGenerator<GenerationPiece, void, undefined> {
    if (this.#taken) throw new Error("a generation can be iterated once");
    this.#taken = true;
    try {
      for (let at = 0; ; at++) {
        while (at >= this.#pieces.length && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (at < this.#pieces.length) {
          yield this.#pieces[at]!;
          continue;
        }
        if (this.#error !== undefined) throw this.#error;
        return;
      }
    } finally {
      this.cancel();
    }
  }

  /** @internal A token came. */
  push(piece: GenerationPiece): void {
    if (this.#over) return;
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** @internal No more come. */
  end(finish: FinishReason): void {
    if (this.#over) return;
    this.finish = finish;
    this.#over = true;
    this.#wake?.();
  }

  /** @internal It cannot go on. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#error = error;
    this.end("left");
  }

  /** @internal Whether its reader left. */
  get cancelled(): boolean {
    return this.#cancelled;
  }
}
