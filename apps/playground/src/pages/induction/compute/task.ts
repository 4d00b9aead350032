import type { Rng } from "@statespace/core";

/**
 * Questions and answers in noise: pairs of a question and its answer stand somewhere among fillers; at the end the questions come again, in another
 * order, and each is to be answered. Which answer belongs to which question differs from row to row, so that it cannot be learned by heart: it
 * must be read (one-shot, the task of induction heads with several pairs).
 *
 * Ids: 0 to FILLERS - 1 are fillers, then QUESTIONS questions, then ANSWERS answers.
 * Source: induction heads as in Gu and Dao 2023 (arXiv 2312.00752), section 4.1.2; several pairs as in Arora et al. 2023 (arXiv 2312.04927).
 */
export const FILLERS = 3;
export const QUESTIONS = 5;
export const ANSWERS = 5;
export const VOCABULARY: number = FILLERS + QUESTIONS + ANSWERS;
/** Pairs in a row, and questions at its end. */
export const PAIRS = 2;
/** Tokens of a row while training, the questions at its end among them. */
export const TRAINED = 48;

/** Where a visitor's pairs stand: among the first tokens; then only noise comes, and the questions. */
export const WITHIN = 16;

export const questionId = (question: number): number => FILLERS + question;
export const answerId = (answer: number): number => FILLERS + QUESTIONS + answer;

export interface Pair {
  readonly question: number;
  readonly answer: number;
}

export interface Row {
  readonly ids: Int32Array; // [length]
  /** The answers that are due at the last tokens, in order. */
  readonly due: readonly number[]; // [PAIRS]
}

function distinct(rng: Rng, count: number, below: number): number[] {
  const all = Array.from({ length: below }, (_, i) => i);
  return Array.from({ length: count }, () => all.splice(rng.integer(all.length), 1)[0]!);
}

export function drawPairs(rng: Rng): Pair[] {
  return distinct(rng, PAIRS, QUESTIONS).map((question) => ({ question, answer: rng.integer(ANSWERS) }));
}

/** A row in which the pairs stand anywhere among the first `within` tokens. */
export function makeRow(rng: Rng, pairs: readonly Pair[], length: number, within: number = length - PAIRS): Row {
  const ids = Int32Array.from({ length }, () => rng.integer(FILLERS));
  // places of pairs, two tokens each: gaps between them are drawn, then filled
  const slots = distinct(rng, pairs.length, within - pairs.length).sort((a, b) => a - b);
  pairs.forEach(({ question, answer }, i) => {
    ids[slots[i]! + i] = questionId(question);
    ids[slots[i]! + i + 1] = answerId(answer);
  });
  const order = distinct(rng, pairs.length, pairs.length);
  order.forEach((which, i) => (ids[length - pairs.length + i] = questionId(pairs[which]!.question)));
  return { ids, due: order.map((which) => pairs[which]!.answer) };
}
