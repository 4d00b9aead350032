import { ArgumentError } from "@statespace/core";
import type { Model } from "../../model/model.ts";
import type { TokenOptions } from "../options.ts";
import { draftProposer } from "./draftProposer.ts";
import { ngramProposer } from "./ngramProposer.ts";
import type { Proposer } from "./proposer.ts";

/** Who guesses, and how many tokens at a time. */
export interface Guesses {
  readonly proposer: Proposer;
  readonly most: number;
}

/** The guesses that options ask for, if they do. @throws ArgumentError for what does not go together. */
export function guessesOf(options: TokenOptions, model: Model, rows: number): Guesses | undefined {
  const { promptLookupNumTokens = 0, maxMatchingNgramSize = 3, assistantModel, numAssistantTokens = 5 } = options;
  if (promptLookupNumTokens === 0 && assistantModel === undefined) return undefined;
  if (promptLookupNumTokens > 0 && assistantModel !== undefined)
    throw new ArgumentError("tokens: promptLookupNumTokens and assistantModel exclude each other");
  if (rows !== 1) throw new ArgumentError(`tokens: guesses are for one text, and the session has ${rows} rows`);
  if (options.logprobs === true || (options.topLogprobs ?? 0) > 0)
    throw new ArgumentError("tokens: guesses and log probabilities exclude each other");
  if (assistantModel !== undefined) return { proposer: draftProposer(assistantModel, model), most: numAssistantTokens };
  return { proposer: ngramProposer(maxMatchingNgramSize), most: promptLookupNumTokens };
}
