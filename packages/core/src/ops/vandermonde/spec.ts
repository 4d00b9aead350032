import { ArgumentError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { vandermondeReference } from "./reference.ts";

/** Arguments of `vandermonde`, one of each conjugate pair; the last axis is (re, im). */
export interface VandermondeInputs {
  C: Tensor; // [h, n, 2]
  logABar: Tensor; // [h, n, 2], log of the discretized A
}

/** Settings of `vandermonde`. */
export interface VandermondeAttrs {
  /** Length of the filter. */
  seqLen: number;
}

/**
 * The filter of a diagonal state space model, y[h, t] = 2 Re sum_n C_n exp(t logABar_n), for t < seqLen.
 *
 * Shapes: C, logABar [h, n, 2] (re, im): one of each conjugate pair, which the factor 2 stands for; y [h, seqLen].
 * Errors: ShapeError, DTypeError; ArgumentError unless seqLen is a positive integer.
 * Source: S4D (arXiv 2206.11893), section 3.3. A phase t im(logABar) reaches thousands of radians: reduce it, or power up, before
 * taking sines, else float32 loses t |im| 2^-24 of them.
 */
export const vandermonde: Op<VandermondeInputs, VandermondeAttrs, { y: Tensor }> = defineOp<
  VandermondeInputs,
  VandermondeAttrs,
  { y: Tensor }
>({
  name: "vandermonde",
  inputs: { C: "h n 2", logABar: "h n 2" },
  attrs: { seqLen: 1 },
  outputs: ({ dims: { h } }, { seqLen }) => ({ y: [h!, seqLen] }),
  check: (_, { seqLen }) => {
    if (!Number.isInteger(seqLen) || seqLen < 1)
      throw new ArgumentError(`vandermonde: seqLen must be a positive integer, got ${seqLen}`);
  },
  differentiable: ["C", "logABar"],
  reference: vandermondeReference,
  cost: ({ dims: { h, n } }, { seqLen }) => ({
    flops: 8 * h! * n! * seqLen,
    bytes: 4 * (4 * h! * n! + h! * seqLen),
    exps: h! * n! * seqLen,
  }),
});
