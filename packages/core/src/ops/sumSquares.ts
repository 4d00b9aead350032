import { ndarray, sizeOf } from "../math/ndarray.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { sum } from "./sum.ts";
import { square } from "./unary.ts";

const inputs = { x: "..." } as const;

/**
 * Sum of squares of a tensor, a scalar: the part of a global norm that one gradient adds.
 *
 * Shapes: x [...]; y [].
 * Errors: DTypeError. No gradient.
 */
export const sumSquares: Op<typeof inputs, NoAttrs> = defineOp({
  name: "sumSquares",
  inputs,
  attrs: {},
  outputs: { y: "" },
  differentiable: [],
  reference: ({ x }) => ({ y: ndarray([], [x.data.reduce((a, b) => a + b * b, 0)]) }),
  compose: ({ x }) => ({ y: sum(square(x)) }),
  cut: "...",
  cost: ({ lead }) => ({ flops: 2 * sizeOf(lead), bytes: 4 * sizeOf(lead) }),
});
