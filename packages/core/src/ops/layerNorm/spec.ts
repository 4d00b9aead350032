import { ArgumentError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { layerNormReference } from "./reference.ts";

/** Arguments of `layerNorm`; an absent weight is 1, an absent bias 0. */
export interface LayerNormInputs {
  x: Tensor; // [..., d]
  weight?: Tensor | undefined; // [d]
  bias?: Tensor | undefined; // [d]
}

/** Settings of `layerNorm`. */
export interface LayerNormAttrs {
  /** Added to the variance. */
  eps?: number;
}

/**
 * Layer norm over the last axis.
 *
 * Shapes: x, y [..., d]; weight, bias [d].
 * Errors: ShapeError, DTypeError; ArgumentError for a negative eps.
 * Source: Ba, Kiros and Hinton 2016 (arXiv 1607.06450), eq. 4; the variance is the biased one.
 */
export const layerNorm: Op<LayerNormInputs, LayerNormAttrs, { y: Tensor }> = defineOp<
  LayerNormInputs,
  LayerNormAttrs,
  { y: Tensor }
>({
  name: "layerNorm",
  inputs: { x: "... d", weight: "d?", bias: "d?" },
  attrs: { eps: 1e-5 },
  outputs: ({ lead, dims }) => ({ y: [...lead, dims.d!] }),
  check: (_, { eps }) => {
    if (!(eps >= 0)) throw new ArgumentError(`layerNorm: eps must be >= 0, got ${eps}`);
  },
  differentiable: ["x", "weight", "bias"],
  reference: layerNormReference,
  cost: ({ lead, dims }) => {
    const size = lead.reduce((a, b) => a * b, 1) * dims.d!;
    return { flops: 7 * size, bytes: 8 * size };
  },
});
