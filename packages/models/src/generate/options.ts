import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { type SampleSettings } from "@statespace/core/ops";

/** How the next token is chosen. With no field set, the model's own distribution is sampled as it is. */
export interface SamplingSettings extends SampleSettings {
  /** Take the most probable token, as temperature 0; of the other settings only the penalties then count. */
  readonly greedy?: boolean;
}

/** Options of `Session.tokens`. */
export interface TokenOptions extends SamplingSettings {
  /** Tokens to add to each text; default 64. */
  readonly maxNewTokens?: number;
  /** Begins the generators anew: the same seed gives the same text. Left out, they go on where they were. */
  readonly seed?: number;
  /** Tokens that end a text, by default the config's; `[]` for none. */
  readonly eosTokenIds?: readonly number[];
  /** Also tell each token's log probability. */
  readonly logprobs?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `Session.stream`. */
export interface StreamOptions extends TokenOptions {
  /** Texts that end the stream and are not part of it. */
  readonly stop?: string | readonly string[];
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
  "maxNewTokens",
  "seed",
  "eosTokenIds",
  "logprobs",
  "signal",
];

/** Names that other libraries have for an option. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  doSample: "greedy",
  maxLength: "maxNewTokens",
  maxTokens: "maxNewTokens",
  nPredict: "maxNewTokens",
  eosTokenId: "eosTokenIds",
  stopStrings: "stop",
  stopSequences: "stop",
  topLogprobs: "logprobs",
  repeatPenalty: "repetitionPenalty",
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

/** @throws ArgumentError naming what is out of its range. */
export function checkTokenOptions(what: string, options: TokenOptions, vocabSize: number): void {
  const { maxNewTokens = 0, seed = 0, eosTokenIds = [] } = options;
  if (!Number.isSafeInteger(maxNewTokens) || maxNewTokens < 0)
    throw new ArgumentError(`${what}: maxNewTokens must be a whole number >= 0, got ${maxNewTokens}`);
  if (!Number.isSafeInteger(seed)) throw new ArgumentError(`${what}: seed must be a whole number, got ${seed}`);
  // A larger id cannot be drawn; files name such ids where the embedding is smaller than the tokenizer.
  const wrong = eosTokenIds.find((id) => !Number.isSafeInteger(id) || id < 0);
  if (wrong !== undefined)
    throw new ArgumentError(`${what}: eosTokenIds must be token ids in [0, ${vocabSize}), got ${wrong}`);
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
