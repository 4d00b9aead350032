import { ArgumentError } from "../../errors.ts";
import { threefry2x32 } from "../../math/threefry.ts";

/** How a row's next token is chosen. With no field set, the model's own distribution is sampled as it is. */
export interface SampleSettings {
  /** Divides the logits; below 1 sharpens, 0 takes the most probable token. Default 1. */
  readonly temperature?: number;
  /** Keep the k most probable tokens, and those equal to the last of them; default 0 keeps all. */
  readonly topK?: number;
  /** Keep the most probable tokens until their mass reaches this (nucleus, arXiv 1904.09751). Default 1 keeps all. */
  readonly topP?: number;
  /** Drop tokens less probable than this times the most probable one (arXiv 2407.01082). Default 0 keeps all. */
  readonly minP?: number;
  /** Divides positive and multiplies negative logits of tokens already there, prompt included (arXiv 1909.05858). Default 1. */
  readonly repetitionPenalty?: number;
  /** Taken once off the logit of a token that was generated. Default 0. */
  readonly presencePenalty?: number;
  /** Taken off the logit of a token each time it was generated. Default 0. */
  readonly frequencyPenalty?: number;
}

/** Below it the quotient of a logit would overflow; the distribution is one-hot long before. */
const COLDEST = 1e-30;

/**
 * A row of `sampleToken`'s settings [8]: log2(e) / temperature (0 is greedy), top-k, top-p, min-p, repetition penalty, its
 * reciprocal, presence penalty, frequency penalty. Quotients are made here, since shaders may round a division as they like.
 */
export function sampleSettings(settings: SampleSettings): Float32Array {
  const {
    temperature = 1,
    topK = 0,
    topP = 1,
    minP = 0,
    repetitionPenalty = 1,
    presencePenalty = 0,
    frequencyPenalty = 0,
  } = settings;
  return Float32Array.of(
    temperature < COLDEST ? 0 : Math.LOG2E / temperature,
    topK,
    topP,
    minP,
    repetitionPenalty,
    1 / repetitionPenalty,
    presencePenalty,
    frequencyPenalty,
  );
}

/**
 * The generators of `sampleToken` at their beginning, int32 [b, 4]: each row's key, a hash of the seed and the row, and a draw
 * counter of 0. Rows of one seed and equal rows of two seeds have different streams.
 * @throws ArgumentError when the seed is not a safe integer.
 */
export function sampleStreams(seed: number, b: number): Int32Array {
  if (!Number.isSafeInteger(seed)) throw new ArgumentError(`sampleStreams: seed must be an integer, got ${seed}`);
  const words: [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
  const streams = new Int32Array(4 * b);
  for (let row = 0; row < b; row++) streams.set(threefry2x32(words, [row, 0]), 4 * row);
  return streams;
}
