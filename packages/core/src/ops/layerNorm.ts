import { ArgumentError } from "../errors.ts";
import { ndzeros, sizeOf } from "../math/ndarray.ts";
import { add, mul, sub } from "./binary.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { mean } from "./reduce.ts";
import { rsqrt, square } from "./unary.ts";

const inputs = {
  x: "... d",
  /** 1 where absent. */
  weight: "d?",
  /** 0 where absent. */
  bias: "d?",
} as const;

const attrs = {
  /** Added to the variance. */
  eps: 1e-5,
};

/**
 * Layer norm over the last axis: y = (x - mean) / sqrt(var + eps) * weight + bias.
 *
 * Shapes: x, y [..., d]; weight, bias [d].
 * Errors: ShapeError, DTypeError; ArgumentError for a negative eps.
 * Source: Ba, Kiros and Hinton 2016 (arXiv 1607.06450), eq. 4; the variance is the biased one.
 */
export const layerNorm: Op<typeof inputs, typeof attrs> = defineOp({
  name: "layerNorm",
  inputs,
  attrs,
  outputs: { y: "... d" },
  check: (_, { eps }) => {
    if (!(eps >= 0)) throw new ArgumentError(`layerNorm: eps must be >= 0, got ${eps}`);
  },
  differentiable: ["x", "weight", "bias"],
  reference: ({ x, weight, bias }, { eps }) => {
    const d = x.shape.at(-1)!;
    const y = ndzeros(x.shape);
    for (let from = 0; from < x.data.length; from += d) {
      const row = x.data.subarray(from, from + d);
      const average = row.reduce((a, b) => a + b, 0) / d;
      const variance = row.reduce((a, b) => a + (b - average) ** 2, 0) / d;
      row.forEach((value, i) => {
        y.data[from + i] =
          ((value - average) / Math.sqrt(variance + eps)) * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
      });
    }
    return { y };
  },
  compose: ({ x, weight, bias }, { eps }) => {
    const centred = sub(x, mean(x, -1, true));
    const scaled = mul(centred, rsqrt(add(mean(square(centred), -1, true), eps)));
    const weighted = weight ? mul(scaled, weight) : scaled;
    return { y: bias ? add(weighted, bias) : weighted };
  },
  cut: "...",
  cost: ({ lead, dims: { d } }) => ({ flops: 7 * sizeOf(lead) * d, bytes: 8 * sizeOf(lead) * d }),
});
