import type { GuideOptions, SamplingSettings, TokenOptions } from "../options.ts";
import { bannedWords } from "./bannedWords.ts";
import { fixedBias } from "./fixedBias.ts";
import { leastLength } from "./leastLength.ts";
import { noRepeatNgram } from "./noRepeatNgram.ts";
import type { TokenGuide } from "./tokenGuide.ts";
import { typicalTokens } from "./typicalTokens.ts";

/** One text as guides see it. */
export interface GuidedText {
  readonly ids: readonly number[];
  /** Tokens of it that were read, and how often others were said. */
  readonly seen: () => { readonly read: ReadonlySet<number>; readonly said: ReadonlyMap<number, number> };
}

/** Whether typical sampling is asked for and counts: a greedy choice is its own. */
function isTypical(options: SamplingSettings & GuideOptions): options is SamplingSettings & { typicalP: number } {
  const { typicalP = 1, greedy = false, temperature = 1 } = options;
  return typicalP < 1 && !greedy && temperature > 0;
}

/** The guides that the options of one text ask for, in the order in which they have their say. */
export function guidesOf(options: TokenOptions, eosTokenIds: readonly number[], text: GuidedText): TokenGuide[] {
  const { logitBias = {}, noRepeatNgramSize = 0, badWordsIds = [], minNewTokens = 0, minLength = 0, guide } = options;
  const guides: TokenGuide[] = [];
  if (Object.keys(logitBias).length > 0) guides.push(fixedBias(logitBias));
  if (noRepeatNgramSize > 0) guides.push(noRepeatNgram(noRepeatNgramSize));
  if (badWordsIds.length > 0) guides.push(bannedWords(badWordsIds));
  if (minNewTokens > 0 || minLength > text.ids.length) guides.push(leastLength(minNewTokens, minLength, eosTokenIds));
  if (guide !== undefined) guides.push(guide());
  if (isTypical(options)) guides.push(typicalTokens(options, text.seen));
  return guides;
}

/** What is left for the sampler of the settings: what a guide does already is not done again. */
export function samplerSettings(options: TokenOptions): SamplingSettings {
  return isTypical(options) ? { ...options, topK: 0, topP: 1, minP: 0 } : options;
}
