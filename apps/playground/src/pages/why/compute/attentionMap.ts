import { Rng } from "@statespace/core";

/** Words of a text; where nothing parts them, as in Chinese, its characters. */
export function wordsOf(text: string, most: number): string[] {
  const trimmed = text.trim();
  return (/\s/.test(trimmed) ? trimmed.split(/\s+/) : Array.from(trimmed)).slice(0, most);
}

const WIDTH = 32;

/** A word as a vector of unit length: how often it has each letter. Words that share letters look alike; nothing was trained. */
export function vectorOf(word: string): Float64Array {
  const counts = new Float64Array(WIDTH);
  for (const letter of word.toLowerCase()) counts[letter.codePointAt(0)! % WIDTH]! += 1;
  const norm = Math.hypot(...counts) || 1;
  return counts.map((count) => count / norm);
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/**
 * Causal attention in which query and key of a word are its vector: row t holds softmax over s <= t of sharpness * q_t k_s.
 * @returns rows of growing length; each sums to one
 */
export function attentionMap(words: readonly string[], sharpness: number): Float64Array[] {
  const vectors = words.map(vectorOf);
  return vectors.map((query, t) => {
    const weights = Float64Array.from(vectors.slice(0, t + 1), (key) => Math.exp(sharpness * (dot(query, key) - 1)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
}

/** Numbers that the small recurrent network keeps. */
export const KEPT = 4;

/** States of a recurrent network, x_t = tanh(W x_(t-1) + U e_t), with weights drawn from a seed; [l][KEPT]. */
export function recurrentStates(words: readonly string[]): Float64Array[] {
  const rng = new Rng(2);
  const W = rng.normals(KEPT * KEPT, 0, 0.6);
  const U = rng.normals(KEPT * WIDTH, 0, 1);
  let state: Float64Array = new Float64Array(KEPT);
  return words.map((word) => {
    const input = vectorOf(word);
    state = state.map((_, i) =>
      Math.tanh(dot(W.subarray(i * KEPT, (i + 1) * KEPT), state) + dot(U.subarray(i * WIDTH, (i + 1) * WIDTH), input)),
    );
    return state;
  });
}
