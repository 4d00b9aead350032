import { fixedWeight, share } from "./weight.ts";

/** What `choose` reads of one row. */
export interface Row {
  /** Penalised logits, float32. */
  readonly scores: Float32Array;
  /** Weights are put here: whole numbers below 2^32, so that doubles add them exactly. */
  readonly weights: Float64Array;
  readonly sharpness: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/** The largest score and its first place; -1 with a NaN, an infinite largest score or none above -infinity. */
export function largest(scores: Float32Array): { best: number; at: number } {
  let best = Number.NEGATIVE_INFINITY;
  let at = -1;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (Number.isNaN(score)) return { best: Number.NaN, at: -1 };
    if (score > best) [best, at] = [score, i];
  }
  return best === Number.POSITIVE_INFINITY ? { best, at: -1 } : { best, at };
}

/** Places of the tokens by score, largest first, the lowest id first among equals. */
function ranked(scores: Float32Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((x, y) => scores[y]! - scores[x]! || x - y);
}

/** Sets the weights of tokens to 0 that top-k, top-p and min-p drop. */
function trim({ scores, weights, topK, topP, minP }: Row): void {
  const v = scores.length;
  if ((topK > 0 && topK < v) || topP < 1) {
    const order = ranked(scores);
    if (topK > 0 && topK < v) {
      const last = scores[order[topK - 1]!]!;
      for (let i = 0; i < v; i++) if (scores[i]! < last) weights[i] = 0;
    }
    if (topP < 1) {
      const limit = share(
        weights.reduce((sum, weight) => sum + weight, 0),
        Math.floor(topP * 2 ** 32),
      );
      let before = 0;
      order.forEach((id, rank) => {
        const weight = weights[id]!;
        if (rank > 0 && before >= limit) weights[id] = 0;
        before += weight;
      });
    }
  }
  const floor = Math.floor(minP * 2 ** 31);
  // The largest weight itself may fall a few units short of 2^31.
  const most = fixedWeight(0);
  for (let i = 0; i < v; i++) if (weights[i]! < floor && weights[i] !== most) weights[i] = 0;
}

/** The token that a random word chooses; see `sampleToken` for the definition. */
export function choose(row: Row, word: number): number {
  const { scores, weights, sharpness } = row;
  const { best, at } = largest(scores);
  if (at < 0 || sharpness === 0) return at;
  for (let i = 0; i < scores.length; i++)
    weights[i] = fixedWeight(Math.fround(Math.fround(best - scores[i]!) * sharpness));
  trim(row);
  let left = share(
    weights.reduce((sum, weight) => sum + weight, 0),
    word,
  );
  for (let i = 0; i < weights.length; i++) {
    if (left < weights[i]!) return i;
    left -= weights[i]!;
  }
  return -1;
}
