/** A token and its log probability (natural). */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

/** Log probabilities of a chosen token and of the most probable ones, by the model's own scores [v]. */
export function logprobsOf(
  logits: Float32Array,
  chosen: number,
  top: number,
): { readonly logprob: number; readonly top: readonly TokenLogprob[] } {
  let best = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > best) best = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - best);
  const norm = best + Math.log(sum);
  return {
    logprob: logits[chosen]! - norm,
    top: largestOf(logits, top).map((id) => ({ id, logprob: logits[id]! - norm })),
  };
}

/** Ids of the k largest scores, the largest first, the lowest id first among equals. */
export function largestOf(scores: Float32Array | Float64Array, k: number): number[] {
  const ids: number[] = [];
  if (k === 0) return ids;
  for (let id = 0; id < scores.length; id++) {
    if (ids.length === k && !(scores[id]! > scores[ids[k - 1]!]!)) continue;
    let at = Math.min(ids.length, k - 1);
    while (at > 0 && scores[ids[at - 1]!]! < scores[id]!) at--;
    ids.splice(at, 0, id);
    ids.length = Math.min(ids.length, k);
  }
  return ids;
}
