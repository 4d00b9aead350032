import { StreamDecoder, type Tokenizer } from "@statespace/text";
import type { ModelState } from "../model/state.ts";
import { checkTokenOptions, refuseUnknownOptions, TOKEN_OPTIONS, type TokenOptions } from "./options.ts";
import { encodePrompt } from "./prompts.ts";
import { Session, type GeneratedToken } from "./session.ts";
import type { Model } from "../model/model.ts";

/** Options of `generate`. */
export interface GenerateOptions extends TokenOptions {
  /** State to go on from (left as it is); prompts are then read after it. */
  readonly initialState?: ModelState | undefined;
  /** Number of the first prompt's generator, where the prompts are part of a larger batch; default 0. */
  readonly firstRow?: number;
  /** Told while prompts are read. */
  readonly onPrefill?: ((progress: { done: number; total: number }) => void) | undefined;
  /** Told the state after each token, before the token comes; it changes in place, so clone it to keep it. */
  readonly onState?: ((state: ModelState) => void) | undefined;
}

const GENERATE_OPTIONS = [...TOKEN_OPTIONS, "initialState", "firstRow", "onPrefill", "onState"];

/**
 * Generates token by token: a `Session` that lasts as long as the loop. Prompts of unequal length run as one batch, each as if alone.
 * Memory does not grow with the text but for models with attention. Leaving the loop early, an error and an abort all free everything.
 * @throws ArgumentError naming the setting or the id that is unknown or out of range, before any work; AbortedError.
 */
export async function* generate(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  refuseUnknownOptions("generate", options, GENERATE_OPTIONS);
  const { initialState, firstRow, onPrefill, onState, seed = 0, ...rest } = options;
  checkTokenOptions("generate", { ...rest, seed }, model.vocabSize);
  if (rest.maxNewTokens === 0) return;
  const session = new Session(model, {
    rows: prompts.length,
    seed,
    initialState,
    ...(firstRow === undefined ? {} : { firstRow }),
  });
  try {
    await session.read(prompts, { signal: rest.signal, onProgress: onPrefill });
    const state = onState && session.state;
    let last = Number.POSITIVE_INFINITY;
    for await (const token of session.tokens(rest)) {
      // Once for each round of tokens, whose rows come in order.
      if (token.sequence <= last) onState?.(state!);
      last = token.sequence;
      yield token;
    }
  } finally {
    session.dispose();
  }
}

/** A piece of generated text. */
export interface GeneratedText extends GeneratedToken {
  /** Text that is certain after this token; often empty in the middle of a character. */
  readonly text: string;
}

/** Options of `generateText`. */
export interface GenerateTextOptions extends GenerateOptions {
  /** Texts that end a sequence and are not part of it. */
  readonly stop?: string | readonly string[];
}

/**
 * `generate` on text. Pieces never split a character, and what may be the beginning of a stop string is held back.
 * A sequence that met its stop string yields nothing more.
 * @throws ArgumentError as `generate`, and for an empty stop string.
 */
export async function* generateText(
  model: Model,
  tokenizer: Tokenizer,
  prompts: string | readonly string[],
  options: GenerateTextOptions = {},
): AsyncGenerator<GeneratedText, void, undefined> {
  const texts = typeof prompts === "string" ? [prompts] : prompts;
  const { stop, ...rest } = options;
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  const ids = texts.map((text) => encodePrompt("generate", tokenizer, text));
  const streams = ids.map((prompt) => new StreamDecoder(tokenizer, { prompt, stop: stops }));
  const closed = new Set<number>();
  for await (const token of generate(model, ids, rest)) {
    if (closed.has(token.sequence)) continue;
    const stream = streams[token.sequence]!;
    let text = stream.push(token.id);
    const done = token.done || stream.stopped;
    if (done) {
      text += stream.flush();
      closed.add(token.sequence);
    }
    yield { ...token, text, done };
    if (closed.size === texts.length) return;
  }
}
