import type { Tokenizer } from "@statespace/text";
import type { GenerationPiece } from "@statespace/models";
import type { Choice } from "./modelHost.ts";

/** Tokens of an answer, as OpenAI's clients read them. */
export function usageOf(choices: readonly Choice[], n: number): object {
  // Texts of one prompt share it.
  const prompts = choices.filter(({ index }) => index % n === 0).map(({ generation }) => generation);
  const prompt = prompts.reduce((sum, { prompt: { length } }) => sum + length, 0);
  const cached = prompts.reduce((sum, { cachedTokens }) => sum + cachedTokens, 0);
  const made = choices.reduce((sum, { generation }) => sum + generation.made, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: made,
    total_tokens: prompt + made,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

const word = (tokenizer: Tokenizer, id: number): string => tokenizer.decode([id], { special: true });
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** Log probabilities of a token as chat answers tell them. */
export function chatLogprob(tokenizer: Tokenizer, { id, logprob, topLogprobs = [] }: GenerationPiece): object {
  const told = (own: number, value: number): object => {
    const token = word(tokenizer, own);
    return { token, logprob: value, bytes: bytesOf(token) };
  };
  return { ...told(id, logprob!), top_logprobs: topLogprobs.map((top) => told(top.id, top.logprob)) };
}

/** Log probabilities of tokens as completions tell them. */
export function completionLogprobs(tokenizer: Tokenizer, pieces: readonly GenerationPiece[], offset: number): object {
  const tokens = pieces.map(({ id }) => word(tokenizer, id));
  let at = offset;
  return {
    tokens,
    token_logprobs: pieces.map(({ logprob }) => logprob),
    top_logprobs: pieces.map(({ topLogprobs = [] }) =>
      Object.fromEntries(topLogprobs.map(({ id, logprob }) => [word(tokenizer, id), logprob])),
    ),
    text_offset: tokens.map((token) => (at += token.length) - token.length),
  };
}

/** OpenAI's word for why a text ended. */
export function finishReason(finish: string | undefined): string {
  return finish === "length" ? "length" : "stop";
}
