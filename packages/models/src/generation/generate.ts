import { ArgumentError, Rng } from "@statespace/core";
import { throwIfAborted } from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { ModelState } from "../model/state.ts";
import type { Tokenizer } from "@statespace/text";
import { Decoder } from "./decoder.ts";
import { prefill } from "./prefill.ts";
import { checkSampling, chooseToken, tokenLogprob, type SamplingSettings } from "./sampling.ts";
import { StreamDecoder } from "@statespace/text";

export interface GenerateOptions extends SamplingSettings {
  /** Tokens to add to each prompt; 64 unless told. */
  readonly maxNewTokens?: number;
  /** Seed of the draws; the same seed gives the same text. 0 unless told. */
  readonly seed?: number;
  /** Tokens that end a sequence, by default the config's; `[]` for none. */
  readonly eosTokenIds?: readonly number[];
  /** Also tell each token's log probability. */
  readonly logprobs?: boolean;
  /** State to go on from (left as it is); prompts are then read after it. */
  readonly initialState?: ModelState | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told while prompts are read. */
  readonly onPrefill?: ((progress: { done: number; total: number }) => void) | undefined;
  /** Told the state after each token; it changes in place, so clone it to keep it. */
  readonly onState?: ((state: ModelState) => void) | undefined;
}

/** One new token of one prompt. */
export interface GeneratedToken {
  /** Which prompt. */
  readonly sequence: number;
  readonly id: number;
  /** With `logprobs`: the log probability (natural) that the model itself gave it. */
  readonly logprob?: number;
  /** It ended its sequence: an eos token, or the last one asked for. */
  readonly done: boolean;
}

/**
 * Generates token by token. Prompts of unequal length run as one batch, each as if alone. Memory does not grow with the text.
 * Leaving the loop early, an error and an abort all free everything.
 * @throws ArgumentError naming the setting or the id that is out of range, before any work; AbortedError.
 */
export async function* generate(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  const { maxNewTokens = 64, seed = 0, eosTokenIds = model.resolved.eosTokenIds, signal, onState } = options;
  if (!Number.isSafeInteger(maxNewTokens) || maxNewTokens < 0)
    throw new ArgumentError(`generate: maxNewTokens must be a whole number >= 0, got ${maxNewTokens}`);
  checkSampling(options);
  if (maxNewTokens === 0) return;
  const { logits: first, state } = await prefill(model, prompts, {
    initialState: options.initialState,
    signal,
    onProgress: options.onPrefill,
  });
  const decoder = new Decoder(model, state, prompts.length);
  // A generator a sequence, so that what one prompt gets does not depend on its neighbours.
  const draws = prompts.map((_, row) => new Rng(seed + row));
  const seen = prompts.map((prompt) => Array.from(prompt));
  const open = prompts.map(() => true);
  const last = new Int32Array(prompts.length);
  try {
    let logits = first;
    for (let made = 1; made <= maxNewTokens && open.includes(true); made++) {
      throwIfAborted(signal, "generate");
      for (let row = 0; row < prompts.length; row++) {
        if (!open[row]) continue;
        const scores = logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize);
        const id = chooseToken(scores, options, () => draws[row]!.uniform(), seen[row]!);
        last[row] = id;
        seen[row]!.push(id);
        const done = eosTokenIds.includes(id) || made === maxNewTokens;
        open[row] = !done;
        yield { sequence: row, id, done, ...(options.logprobs ? { logprob: tokenLogprob(scores, id) } : {}) };
      }
      if (!open.includes(true)) break;
      logits = await decoder.next(last);
      onState?.(decoder.state);
    }
  } finally {
    decoder.dispose();
  }
}

/** A piece of generated text. */
export interface GeneratedText extends GeneratedToken {
  /** Text that is certain after this token; often empty in the middle of a character. */
  readonly text: string;
}

export interface GenerateTextOptions extends GenerateOptions {
  /** Texts that end a sequence and are not part of it. */
  readonly stop?: readonly string[];
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
  const ids = texts.map((text) => encodePrompt(tokenizer, text));
  const streams = ids.map((prompt) => new StreamDecoder(tokenizer, { prompt, stop: options.stop ?? [] }));
  const closed = new Set<number>();
  for await (const token of generate(model, ids, options)) {
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

/** A prompt's ids; an empty text starts from the beginning-of-sequence token. @throws ArgumentError when there is none to start from. */
function encodePrompt(tokenizer: Tokenizer, text: string): Int32Array {
  const ids = tokenizer.encode(text);
  if (ids.length > 0) return ids;
  const start = tokenizer.bosId ?? tokenizer.eosId;
  if (start === undefined)
    throw new ArgumentError("generate: the prompt is empty and the tokenizer has no token to start from");
  return Int32Array.of(start);
}
