/** How a next token is drawn, as the library's sampler takes it. */
export interface Drawing {
  /** Divides the scores; 0 takes the likeliest. */
  readonly temperature: number;
  /** So many of the likeliest may be drawn; 0 is all. */
  readonly topK: number;
  /** Of these, the likeliest until so much of their mass is reached. */
  readonly topP: number;
}

/**
 * The chance of each token to be drawn: scores over the temperature, then top-k with those equal to the last, then top-p.
 * @param logits a model's scores, [v] @returns [v]
 */
export function chancesOf(logits: ArrayLike<number>, { temperature, topK, topP }: Drawing): Float64Array {
  const chances = new Float64Array(logits.length);
  const ranked = Array.from({ length: logits.length }, (_, id) => id).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const best = logits[ranked[0]!]!;
  if (temperature === 0) {
    chances[ranked[0]!] = 1;
    return chances;
  }
  const last = topK > 0 && topK < ranked.length ? logits[ranked[topK - 1]!]! : -Infinity;
  const top = ranked.filter((id) => logits[id]! >= last);
  const weightOf = (id: number): number => Math.exp((logits[id]! - best) / temperature);
  const mass = top.reduce((sum, id) => sum + weightOf(id), 0);
  let before = 0;
  let kept = 0;
  for (const id of top) {
    if (kept > 0 && before >= topP * mass) break;
    before += chances[id] = weightOf(id);
    kept++;
  }
  return chances.map((weight) => weight / before);
}
