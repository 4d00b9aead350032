import { ArgumentError, ShapeError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { inverseRealFftReference } from "./reference.ts";

/** Settings of `inverseRealFft`: the spectrum alone does not tell whether the length is odd. */
export interface InverseRealFftAttrs {
  /** Length of the real sequences. */
  seqLen: number;
}

/**
 * Real sequences from the first half of their spectra: y_t = (1/l) sum_k c_k Re(x_k exp(2 pi i k t / l)), with c_k = 2 but for the
 * frequencies 0 and (l even) l/2, which have no mirror image and whose imaginary parts do not count.
 *
 * Shapes: x [h, m, 2] with m = floor(l/2) + 1 (re, im); y [h, l], l = seqLen, any length.
 * Errors: ShapeError, DTypeError; ArgumentError unless seqLen is a positive integer.
 * Source: how S4 turns its generating function, evaluated at the roots of unity, into a filter (arXiv 2111.00396, section 3.2).
 */
export const inverseRealFft: Op<{ x: Tensor }, InverseRealFftAttrs, { y: Tensor }> = defineOp<
  { x: Tensor },
  InverseRealFftAttrs,
  { y: Tensor }
>({
  name: "inverseRealFft",
  inputs: { x: "h m 2" },
  attrs: { seqLen: 1 },
  outputs: ({ dims: { h } }, { seqLen }) => ({ y: [h!, seqLen] }),
  check: ({ dims: { h, m } }, { seqLen }) => {
    if (!Number.isInteger(seqLen) || seqLen < 1)
      throw new ArgumentError(`inverseRealFft: seqLen must be a positive integer, got ${seqLen}`);
    const expected = Math.floor(seqLen / 2) + 1;
    if (m !== expected)
      throw new ShapeError(
        `inverseRealFft: x must be [h, floor(l/2) + 1, 2] = [${h}, ${expected}, 2] for l = ${seqLen}, got [${h}, ${m}, 2]`,
      );
  },
  differentiable: ["x"],
  reference: inverseRealFftReference,
  cost: ({ dims: { h } }, { seqLen }) => ({ flops: 2.5 * h! * seqLen * Math.log2(seqLen + 1), bytes: 8 * h! * seqLen }),
});
