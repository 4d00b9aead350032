import { ArgumentError } from "@statespace/core";
import type { Tokenizer } from "@statespace/text";

/** Text or ids. */
export type Prompt = string | ArrayLike<number>;

/** A text's ids; an empty one starts from the beginning-of-text token. @throws ArgumentError when there is none to start from. */
export function encodePrompt(what: string, tokenizer: Tokenizer, text: string): ArrayLike<number> {
  const ids = tokenizer.encode(text);
  if (ids.length > 0) return ids;
  const start = tokenizer.bosId ?? tokenizer.eosId;
  if (start === undefined)
    throw new ArgumentError(`${what}: the prompt is empty and the tokenizer has no token to start from`);
  return Int32Array.of(start);
}

/**
 * One prompt a row, as ids.
 * @param begins the texts begin with them: an empty one then is the beginning-of-text token
 * @throws ArgumentError for another number of prompts, or for text without a tokenizer.
 */
export function promptsOf(
  input: Prompt | readonly Prompt[],
  rows: number,
  tokenizer: () => Tokenizer,
  begins: boolean,
): ArrayLike<number>[] {
  const many = Array.isArray(input) && input.length > 0 && input.every((x) => typeof x !== "number");
  const prompts = (many ? input : [input]) as readonly Prompt[];
  if (prompts.length !== rows)
    throw new ArgumentError(`read: must get one prompt for each of ${rows} rows, got ${prompts.length}`);
  return prompts.map((prompt) => {
    if (typeof prompt !== "string") return prompt;
    return begins ? encodePrompt("read", tokenizer(), prompt) : tokenizer().encode(prompt);
  });
}
