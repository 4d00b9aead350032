import { ndarray } from "../../math/ndarray.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";

/**
 * Sum of squares of a tensor, a scalar: the part of a global norm that one gradient adds.
 *
 * Shapes: x [...]; y [].
 * Errors: DTypeError. No gradient.
 */
export const sumSquares: Op<{ x: Tensor }, object, { y: Tensor }> = defineOp<{ x: Tensor }, object, { y: Tensor }>({
  name: "sumSquares",
  inputs: { x: "..." },
  attrs: {},
  outputs: () => ({ y: [] }),
  differentiable: [],
  reference: ({ x }) => ({ y: ndarray([], [x!.data.reduce((a, b) => a + b * b, 0)]) }),
  cost: ({ lead }) => {
    const size = lead.reduce((a, b) => a * b, 1);
    return { flops: 2 * size, bytes: 4 * size };
  },
});
