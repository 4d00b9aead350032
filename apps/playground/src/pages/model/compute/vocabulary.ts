import { CharTokenizer } from "@statespace/text";

/** Characters with a token of their own, at most: each costs a row of weights. */
const MOST_CHARACTERS = 3000;
/** Stands for all others. */
export const UNKNOWN = "□";

/** A token for each character of a text; of very many, for the most frequent. */
export function vocabularyOf(text: string): CharTokenizer {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_CHARACTERS);
  const kept = frequent.map(([character]) => character).join("");
  return CharTokenizer.fromText(kept, { special: ["<|endoftext|>"], unknown: UNKNOWN });
}
