import type { TokenGuide } from "./tokenGuide.ts";

/** Forbids the last token of each word where the text ends with the ones before it. */
export function bannedWords(words: readonly (readonly number[])[]): TokenGuide {
  return {
    guide: (bias, { ids }) => {
      for (const word of words) {
        const before = word.length - 1;
        const from = ids.length - before;
        if (from < 0) continue;
        let stands = true;
        for (let i = 0; stands && i < before; i++) stands = ids[from + i] === word[i];
        if (stands) bias[word[before]!] = Number.NEGATIVE_INFINITY;
      }
    },
  };
}
