import type { SamplingSettings } from "../options.ts";
import type { TokenGuide } from "./tokenGuide.ts";

/** How often each token was said, and which were read. */
interface Seen {
  readonly read: ReadonlySet<number>;
  readonly said: ReadonlyMap<number, number>;
}

/**
 * Keeps the tokens whose surprise is nearest to the expected one, until their mass is `typicalP` (locally typical sampling,
 * arXiv 2202.00666): of what penalties, temperature, top-k, top-p and min-p leave, as in Hugging Face transformers, so that it does their work too.
 */
export function typicalTokens(
  settings: SamplingSettings & { readonly typicalP: number },
  seen: () => Seen,
): TokenGuide {
  return {
    needsLogits: true,
    guide: (bias, { logits }) => {
      const scores = Float64Array.from(logits!, (logit, id) => logit + bias[id]!);
      penalise(scores, settings, seen());
      const { temperature = 1 } = settings;
      for (let id = 0; id < scores.length; id++) scores[id]! /= temperature;
      trim(scores, settings);
      keepTypical(scores, settings.typicalP);
      scores.forEach((score, id) => {
        if (score === Number.NEGATIVE_INFINITY) bias[id] = Number.NEGATIVE_INFINITY;
      });
    },
  };
}

function penalise(scores: Float64Array, settings: SamplingSettings, { read, said }: Seen): void {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = settings;
  for (const id of new Set([...read, ...said.keys()]))
    scores[id] = scores[id]! < 0 ? scores[id]! * repetitionPenalty : scores[id]! / repetitionPenalty;
  for (const [id, count] of said) scores[id]! -= presencePenalty + frequencyPenalty * count;
}

/** Probabilities, and the tokens from the most probable on. */
function ranked(scores: Float64Array): { p: Float64Array; order: Uint32Array } {
  const best = scores.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
  const p = scores.map((score) => Math.exp(score - best));
  const sum = p.reduce((x, y) => x + y, 0);
  const order = Uint32Array.from(scores.keys()).sort((x, y) => scores[y]! - scores[x]! || x - y);
  return { p: p.map((x) => x / sum), order };
}

function trim(scores: Float64Array, { topK = 0, topP = 1, minP = 0 }: SamplingSettings): void {
  const drop = (id: number): void => void (scores[id] = Number.NEGATIVE_INFINITY);
  if (topK > 0 && topK < scores.length) {
    const last = scores[ranked(scores).order[topK - 1]!]!;
    scores.forEach((score, id) => score < last && drop(id));
  }
  if (topP < 1) {
    const { p, order } = ranked(scores);
    let before = 0;
    order.forEach((id, rank) => {
      if (rank > 0 && before >= topP) drop(id);
      before += p[id]!;
    });
  }
  if (minP > 0) {
    const { p, order } = ranked(scores);
    const floor = minP * p[order[0]!]!;
    p.forEach((x, id) => x < floor && drop(id));
  }
}

function keepTypical(scores: Float64Array, typicalP: number): void {
  const { p } = ranked(scores);
  const surprise = p.map((x) => (x > 0 ? -Math.log(x) : Number.POSITIVE_INFINITY));
  const expected = p.reduce((sum, x, id) => sum + (x > 0 ? x * surprise[id]! : 0), 0);
  const distance = surprise.map((x) => Math.abs(x - expected));
  const order = Uint32Array.from(scores.keys()).sort((x, y) => distance[x]! - distance[y]! || x - y);
  let before = 0;
  for (const id of order) {
    if (before >= typicalP) scores[id] = Number.NEGATIVE_INFINITY;
    before += p[id]!;
  }
}
