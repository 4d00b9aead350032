import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { type SampleSettings } from "@statespace/core/ops";
import type { Model } from "../model/model.ts";
import type { TokenGuide } from "./guides/tokenGuide.ts";

/** How the next token is chosen. With no field set, the model's own distribution is sampled as it is. */
export interface SamplingSettings extends SampleSettings {
  /** Take the most probable token, as temperature 0; of the other settings only the penalties then count. */
  readonly greedy?: boolean;
}

/** What has a say in the choice of a token beside the sampler; the host then looks at each token before the next is chosen. */
export interface GuideOptions {
  /** Keeps the tokens whose surprise is nearest to the expected one until their mass reaches this (arXiv 2202.00666). Default 1 keeps all. */
  readonly typicalP?: number;
  /** No run of so many tokens comes twice, prompt included; default 0 lets them. */
  readonly noRepeatNgramSize?: number;
  /** Added to the scores of tokens, by id; -Infinity forbids one. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Words, as ids, that must not come; of a longer one its last token is forbidden after the others. */
  readonly badWordsIds?: readonly (readonly number[])[];
  /** New tokens before one may end the text; default 0. */
  readonly minNewTokens?: number;
  /** Tokens of the text, prompt included, before one may end it; default 0. */
  readonly minLength?: number;
  /** Makes a guide of one's own for each text, such as a grammar's. */
  readonly guide?: (() => TokenGuide) | undefined;
}

/**
 * Guesses of several tokens, which the model then reads at once: faster where they hold, and the tokens are those without them. For
 * one text, without guides and log probabilities; while its tokens come, the state may be some of them ahead.
 */
export interface SpeculativeOptions {
  /** Tokens to guess from what the text itself said before; default 0 guesses none. */
  readonly promptLookupNumTokens?: number;
  /** Longest run of tokens that is looked for there; default 3. */
  readonly maxMatchingNgramSize?: number;
  /** A smaller model with the same tokens that guesses. */
  readonly assistantModel?: Model | undefined;
  /** Tokens that it guesses each time; default 5. */
  readonly numAssistantTokens?: number;
}

/** Options of `Session.tokens`. */
export interface TokenOptions extends SamplingSettings, GuideOptions, SpeculativeOptions {
  /** Tokens to add to each text; default 64. */
  readonly maxNewTokens?: number;
  /** Begins the generators anew: the same seed gives the same text. Left out, they go on where they were. */
  readonly seed?: number;
  /** Tokens that end a text, by default the config's; `[]` for none. */
  readonly eosTokenIds?: readonly number[];
  /** Also tell each token's log probability. */
  readonly logprobs?: boolean;
  /** Also tell so many of the most probable tokens each time, with their log probabilities; default 0. */
  readonly topLogprobs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `Session.stream`. */
export interface StreamOptions extends TokenOptions {
  /** Texts that end the stream and are not part of it. */
  readonly stop?: string | readonly string[];
  /** Words that must not come, with a space before them or without. */
  readonly badWords?: readonly string[];
}

/** Names of the options of `Session.tokens`. */
export const TOKEN_OPTIONS: readonly string[] = [
  "temperature",
  "topK",
  "topP",
  "minP",
  "repetitionPenalty",
  "presencePenalty",
  "frequencyPenalty",
  "greedy",
  "typicalP",
  "noRepeatNgramSize",
  "logitBias",
  "badWordsIds",
  "minNewTokens",
  "minLength",
  "guide",
  "topLogprobs",
  "promptLookupNumTokens",
  "maxMatchingNgramSize",
  "assistantModel",
  "numAssistantTokens",
  "maxNewTokens",
  "seed",
  "eosTokenIds",
  "logprobs",
  "signal",
];

/** Names of the options of `Session.stream`. */
export const STREAM_OPTIONS: readonly string[] = [...TOKEN_OPTIONS, "stop", "badWords"];

/** Names that other libraries have for an option. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  doSample: "greedy",
  maxLength: "maxNewTokens",
  maxTokens: "maxNewTokens",
  nPredict: "maxNewTokens",
  eosTokenId: "eosTokenIds",
  stopStrings: "stop",
  stopSequences: "stop",
  repeatPenalty: "repetitionPenalty",
  typical: "typicalP",
  sequenceBias: "logitBias",
  badWordIds: "badWordsIds",
  noRepeatNgram: "noRepeatNgramSize",
  minTokens: "minNewTokens",
  logitsProcessor: "guide",
  draftModel: "assistantModel",
  numDraftTokens: "numAssistantTokens",
};

/** @throws ArgumentError for an option that is not known, with the one that may be meant. */
export function refuseUnknownOptions(what: string, options: object, known: readonly string[]): void {
  refuseUnknown(what, options, known, OTHER_NAMES);
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** What each setting may be. */
const RANGES: Readonly<Record<string, readonly [range: string, holds: (value: unknown) => boolean]>> = {
  greedy: ["true or false", (x) => typeof x === "boolean"],
  temperature: ["a finite number >= 0", (x) => isFiniteNumber(x) && x >= 0],
  topK: ["a whole number >= 0", (x) => Number.isSafeInteger(x) && (x as number) >= 0],
  topP: ["a number in (0, 1]", (x) => isFiniteNumber(x) && x > 0 && x <= 1],
  minP: ["a number in [0, 1]", (x) => isFiniteNumber(x) && x >= 0 && x <= 1],
  repetitionPenalty: ["a finite number > 0", (x) => isFiniteNumber(x) && x > 0],
  presencePenalty: ["a finite number", isFiniteNumber],
  frequencyPenalty: ["a finite number", isFiniteNumber],
};

/** @throws ArgumentError naming the setting that is NaN, of another type or out of its range. */
export function checkSampling(settings: SamplingSettings): void {
  for (const [name, [range, holds]] of Object.entries(RANGES)) {
    const value = (settings as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && !holds(value))
      throw new ArgumentError(`sampling: ${name} must be ${range}, got ${String(value)}`);
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What each option beside the sampler's may be. */
const GUIDE_RANGES: typeof RANGES = {
  typicalP: ["a number in (0, 1]", (x) => isFiniteNumber(x) && x > 0 && x <= 1],
  noRepeatNgramSize: ["a whole number >= 0", isCount],
  minNewTokens: ["a whole number >= 0", isCount],
  minLength: ["a whole number >= 0", isCount],
  maxNewTokens: ["a whole number >= 0", isCount],
  topLogprobs: ["a whole number >= 0", isCount],
  promptLookupNumTokens: ["a whole number >= 0", isCount],
  maxMatchingNgramSize: ["a whole number >= 1", (x) => isCount(x) && x !== 0],
  numAssistantTokens: ["a whole number >= 1", (x) => isCount(x) && x !== 0],
  logprobs: ["true or false", (x) => typeof x === "boolean"],
  guide: ["a function that makes a guide", (x) => typeof x === "function"],
  seed: ["a whole number", Number.isSafeInteger],
};

/** @throws ArgumentError naming what is out of its range. */
export function checkTokenOptions(what: string, options: TokenOptions, vocabSize: number): void {
  for (const [name, [range, holds]] of Object.entries(GUIDE_RANGES)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && !holds(value))
      throw new ArgumentError(`${what}: ${name} must be ${range}, got ${String(value)}`);
  }
  const { eosTokenIds = [], logitBias = {}, badWordsIds = [] } = options;
  // A larger id cannot be drawn; files name such ids where the embedding is smaller than the tokenizer.
  const wrong = eosTokenIds.find((id) => !isCount(id));
  if (wrong !== undefined)
    throw new ArgumentError(`${what}: eosTokenIds must be token ids in [0, ${vocabSize}), got ${wrong}`);
  const isId = (id: unknown): boolean => isCount(id) && (id as number) < vocabSize;
  for (const [id, value] of Object.entries(logitBias))
    if (!isId(Number(id)) || typeof value !== "number" || Number.isNaN(value) || value === Number.POSITIVE_INFINITY)
      throw new ArgumentError(
        `${what}: logitBias must have numbers below Infinity for token ids in [0, ${vocabSize}), got ${id}: ${value}`,
      );
  const badWord = badWordsIds.find((word) => !(Array.isArray(word) && word.length > 0 && word.every(isId)));
  if (badWord !== undefined)
    throw new ArgumentError(
      `${what}: badWordsIds must be lists of one or more token ids in [0, ${vocabSize}), got [${String(badWord)}]`,
    );
  checkSampling(options);
}

/** True where a setting depends on which tokens were there before. */
export function countsTokens({
  repetitionPenalty = 1,
  presencePenalty = 0,
  frequencyPenalty = 0,
}: SamplingSettings): boolean {
  return repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
}

/** Options with defaults behind them; what is left undefined is the default's. A temperature that is asked for is not overruled by a default not to sample. */
export function withDefaults(defaults: StreamOptions, options: StreamOptions): StreamOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { greedy, ...others } = defaults;
  return { ...others, ...(greedy === undefined || "temperature" in given ? {} : { greedy }), ...given };
}
