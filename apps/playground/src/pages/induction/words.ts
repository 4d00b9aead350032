import type { Codec } from "../../shell/codecs.ts";
import { ANSWERS, PAIRS, type Pair } from "./compute/task.ts";

/** A question and its answer, in the visitor's words. */
export interface WordPair {
  readonly question: string;
  readonly answer: string;
}

/** `cat=milk;dog=bone` in the address. */
export const wordPairs: Codec<readonly WordPair[]> = {
  parse(text) {
    const pairs = text.split(";").map((each) => each.split("=").map((word) => word.trim()));
    const fits =
      pairs.length === PAIRS && pairs.every((words) => words.length === 2 && words.every((word) => word !== ""));
    const distinct = new Set(pairs.map(([question]) => question)).size === PAIRS;
    return fits && distinct ? pairs.map(([question, answer]) => ({ question: question!, answer: answer! })) : undefined;
  },
  format: (pairs) => pairs.map(({ question, answer }) => `${question}=${answer}`).join(";"),
};

/** The answers by id: the visitor's own first, then others that nobody was told. Equal words are one answer. */
export function answerWords(pairs: readonly WordPair[], others: readonly string[]): string[] {
  return [...new Set([...pairs.map(({ answer }) => answer), ...others])].slice(0, ANSWERS);
}

/** What the models are told of the words: which is which. */
export function pairsOf(pairs: readonly WordPair[], others: readonly string[]): Pair[] {
  const words = answerWords(pairs, others);
  return pairs.map(({ answer }, question) => ({ question, answer: words.indexOf(answer) }));
}
