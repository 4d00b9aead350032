import { ArgumentError, NonFiniteError } from "@statespace/core";
import { DescendingHeap } from "./descendingHeap.ts";

/** How the next token is chosen. With no field set, the model's own distribution is sampled as it is. */
export interface SamplingSettings {
  /** Take the most probable token; the other settings but `repetitionPenalty` then do nothing. */
  readonly greedy?: boolean;
  /** Divides the logits; below 1 sharpens, 0 is greedy. 1 unless told. */
  readonly temperature?: number;
  /** Keep the k most probable tokens, and those equal to the last of them; 0 keeps all. */
  readonly topK?: number;
  /** Keep the most probable tokens until their mass reaches this (nucleus, arXiv 1904.09751). 1 keeps all. */
  readonly topP?: number;
  /** Drop tokens less probable than this times the most probable one (arXiv 2407.01082). 0 keeps all. */
  readonly minP?: number;
  /** Divides positive and multiplies negative logits of tokens already there (arXiv 1909.05858). 1 does nothing. */
  readonly repetitionPenalty?: number;
}

/** A source of uniform numbers in [0, 1). */
export type Uniform = () => number;

/** Errors: {@link ArgumentError} naming the setting that is NaN, of another type or out of its range. */
export function checkSampling(settings: SamplingSettings): void {
  const { greedy, temperature, topK, topP, minP, repetitionPenalty } = settings;
  if (greedy !== undefined && typeof greedy !== "boolean") throw invalid("greedy", "true or false", greedy);
  if (temperature !== undefined && !(isFiniteNumber(temperature) && temperature >= 0))
    throw invalid("temperature", "a finite number >= 0", temperature);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 0))
    throw invalid("topK", "a whole number >= 0", topK);
  if (topP !== undefined && !(isFiniteNumber(topP) && topP > 0 && topP <= 1))
    throw invalid("topP", "a number in (0, 1]", topP);
  if (minP !== undefined && !(isFiniteNumber(minP) && minP >= 0 && minP <= 1))
    throw invalid("minP", "a number in [0, 1]", minP);
  if (repetitionPenalty !== undefined && !(isFiniteNumber(repetitionPenalty) && repetitionPenalty > 0)) {
    throw invalid("repetitionPenalty", "a finite number > 0", repetitionPenalty);
  }
}

/**
 * Chooses the next token from logits [v] (not changed).
 * Order of the steps as in Hugging Face transformers: repetition penalty, temperature, top-k, top-p, min-p, draw. Departure: probabilities are float64.
 * `previous` are the ids the repetition penalty applies to, prompt included.
 * Errors: {@link ArgumentError} naming a setting or an id out of range; {@link NonFiniteError} if a logit is NaN or +infinity, or all are -infinity.
 */
export function chooseToken(
  logits: Float32Array,
  settings: SamplingSettings,
  uniform: Uniform,
  previous: ArrayLike<number> = [],
): number {
  checkSampling(settings);
  const { greedy = false, temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = settings;
  const scores = repetitionPenalty === 1 ? logits : penalise(logits, previous, repetitionPenalty);
  const best = argmax(scores);
  // Below the smallest normal step the quotient would overflow; the distribution is one-hot long before.
  if (greedy || temperature < 1e-30) return best;
  const weights = new Float64Array(scores.length);
  const sum = softmaxWeights(scores, scores[best], temperature, weights);
  const trimsTop = (topK > 0 && topK < scores.length) || topP < 1;
  if (trimsTop) return drawFromTop(weights, sum, { topK, topP, minP }, uniform);
  return minP > 0 ? drawAbove(weights, minP, uniform) : draw(weights, sum, uniform);
}

/** Index of the largest value [v]; the first of equals. Errors: {@link NonFiniteError} as {@link chooseToken}. */
export function argmax(scores: Float32Array): number {
  let best = -1;
  let bestScore = -Infinity;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i];
    if (score > bestScore) {
      best = i;
      bestScore = score;
    } else if (score !== score) {
      throw new NonFiniteError(`sampling: logit of token ${i} is NaN`);
    }
  }
  if (best < 0) throw new NonFiniteError("sampling: no logit is above -infinity");
  if (bestScore === Infinity) throw new NonFiniteError(`sampling: logit of token ${best} is infinite`);
  return best;
}

/** Log-probability (natural) that the model itself gives to a token: log softmax of the unprocessed logits [v]. */
export function tokenLogprob(logits: Float32Array, id: number): number {
  if (!Number.isInteger(id) || id < 0 || id >= logits.length)
    throw new ArgumentError(`tokenLogprob: id must be in 0..${logits.length - 1}, got ${id}`);
  const max = logits[argmax(logits)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - max);
  return logits[id] - max - Math.log(sum);
}

function invalid(setting: string, range: string, got: unknown): ArgumentError {
  return new ArgumentError(`sampling: ${setting} must be ${range}, got ${String(got)}`);
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function penalise(logits: Float32Array, previous: ArrayLike<number>, penalty: number): Float32Array {
  const scores = logits.slice();
  for (let i = 0; i < previous.length; i++) {
    const id = previous[i];
    if (!Number.isInteger(id) || id < 0 || id >= logits.length)
      throw new ArgumentError(`sampling: previous ids must be in 0..${logits.length - 1}, got ${id}`);
    // From the untouched logit, so that a repeated id is penalised once.
    scores[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
  }
  return scores;
}

/** exp((score - max) / temperature) into `weights`; returns their sum, at least 1. */
function softmaxWeights(scores: Float32Array, max: number, temperature: number, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += weights[i] = Math.exp((scores[i] - max) / temperature);
  return sum;
}

interface TopSettings {
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/** Draws among the tokens that top-k, then top-p, then min-p keep. Takes them from a heap, so that the discarded ones are never sorted. */
function drawFromTop(weights: Float64Array, sum: number, { topK, topP, minP }: TopSettings, uniform: Uniform): number {
  const heap = new DescendingHeap(weights);
  const ids: number[] = [];
  let mass = sum;
  if (topK > 0 && topK < weights.length) {
    mass = 0;
    for (let last = 0; heap.size > 0;) {
      const weight = weights[heap.peek()];
      if (weight === 0 || (ids.length >= topK && weight < last)) break;
      last = weight;
      mass += weight;
      ids.push(heap.pop());
    }
  }
  const fromHeap = ids.length === 0;
  const floor = minP * weights[fromHeap ? heap.peek() : ids[0]];
  const limit = topP * mass;
  let kept = 0;
  let count = 0;
  for (; kept < limit || count === 0; count++) {
    if (fromHeap && heap.size > 0 && weights[heap.peek()] > 0) ids.push(heap.pop());
    if (count >= ids.length || (count > 0 && weights[ids[count]] < floor)) break;
    kept += weights[ids[count]];
  }
  return drawAmong(ids, count, weights, kept, uniform);
}

function drawAmong(
  ids: readonly number[],
  count: number,
  weights: Float64Array,
  mass: number,
  uniform: Uniform,
): number {
  const target = uniform() * mass;
  let cumulative = 0;
  for (let i = 0; i < count; i++) {
    cumulative += weights[ids[i]];
    if (target < cumulative) return ids[i];
  }
  return ids[count - 1];
}

/** Draws among the tokens at least `minP` as probable as the best, whose weight is 1. */
function drawAbove(weights: Float64Array, minP: number, uniform: Uniform): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < minP) weights[i] = 0;
    sum += weights[i];
  }
  return draw(weights, sum, uniform);
}

function draw(weights: Float64Array, sum: number, uniform: Uniform): number {
  const target = uniform() * sum;
  let cumulative = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    cumulative += weights[i];
    if (target < cumulative) return i;
    last = i;
  }
  // Rounding can leave the target a hair past the sum; a token of zero weight must not win then.
  return last;
}
