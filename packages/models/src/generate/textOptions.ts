import { ArgumentError } from "@statespace/core";
import type { Tokenizer } from "@statespace/text";
import type { StreamOptions } from "./options.ts";

/** Stop texts as a list. */
export function stopsOf(stop: StreamOptions["stop"] = []): readonly string[] {
  return typeof stop === "string" ? [stop] : stop;
}

/** Words to ban as tokens: as they stand after a space, and inside a word. @throws ArgumentError for an empty one. */
export function bannedAsIds(
  { badWords = [], ...options }: StreamOptions,
  tokenizer: () => Tokenizer,
): Omit<StreamOptions, "badWords"> {
  if (badWords.length === 0) return options;
  if (badWords.some((word) => typeof word !== "string" || word === ""))
    throw new ArgumentError(`badWords: must hold non-empty strings, got ${JSON.stringify(badWords)}`);
  const ids = badWords.flatMap((word) => [word, ` ${word}`]).map((word) => [...tokenizer().encode(word)]);
  return { ...options, badWordsIds: [...(options.badWordsIds ?? []), ...ids] };
}
