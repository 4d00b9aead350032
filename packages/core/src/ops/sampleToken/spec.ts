import { ShapeError } from "../../errors.ts";
import type { Op } from "../declaration.ts";
import { defineOp } from "../defineOp.ts";
import { sampleTokenReference } from "./reference.ts";

const inputs = {
  logits: "b v",
  /** See `sampleSettings`. */
  settings: "b 8",
  /** Key and counter of each row's generator; the counter goes on by one. See `sampleStreams`. */
  random: "int32 b 4",
  /** Takes the chosen token; -1 where the logits of a row are not to be sampled from. */
  id: "int32 b",
  /** How often a token was generated, plus 2^30 if it stood in the prompt; counts the chosen one. Absent: no penalties. */
  counts: "int32 b v?",
} as const;

const attrs = {
  /** Also the log probability (natural) that the logits themselves give to the token. */
  logprob: false,
};

const outputs = { logprob: "b if logprob" } as const;

/** Vocabulary up to which the sums stay exact on every backend. */
const LARGEST_VOCABULARY = 2 ** 21;

/**
 * Chooses the next token of each row, in place, so that decoding needs no host: repetition penalty, presence and frequency
 * penalty, temperature, top-k, top-p, min-p, draw, in this order (that of Hugging Face transformers).
 *
 *     s_i = penalised logit;   w_i = 2^(log2(e) (s_i - max s) / temperature);   top-k keeps s_i >= the k-th largest
 *     top-p keeps, from the largest s on (the lowest id first among equals), until their mass is p of what is left
 *     min-p keeps w_i >= p max w;   the draw takes i with probability w_i / sum w
 *
 * Temperature 0 takes the largest s, the lowest id of equals. A row with a NaN, or whose largest s is not finite, gets -1.
 *
 * Every backend makes the same choice: w is a whole number of 2^-31, so that sums are exact in any order and no threshold turns
 * on rounding. What is rounded are the penalties and the two operations before w, each to float32; a device that fuses the
 * frequency penalty's product with its difference may be off there by one ulp of a logit. Tokens below 2^-31 of the most probable
 * one have weight 0, and the draw uses 32 random bits.
 *
 * Shapes: logits [b, v] with v up to 2^21; settings [b, 8]; random int32 [b, 4]; id int32 [b]; counts int32 [b, v]; logprob [b].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 * Source: top-p arXiv 1904.09751, min-p arXiv 2407.01082, repetition penalty arXiv 1909.05858; generator as `threefry2x32`.
 */
export const sampleToken: Op<typeof inputs, typeof attrs, typeof outputs> = defineOp({
  name: "sampleToken",
  inputs,
  attrs,
  outputs,
  check: ({ dims: { v } }) => {
    if (v < 1 || v > LARGEST_VOCABULARY)
      throw new ShapeError(`sampleToken: logits must have 1 to ${LARGEST_VOCABULARY} tokens v, got ${v}`);
  },
  differentiable: [],
  inPlace: ["random", "id", "counts"],
  reference: sampleTokenReference,
  cost: ({ dims: { b, v } }) => ({ flops: 16 * b * v, bytes: 4 * b * v, exps: b * v }),
});
