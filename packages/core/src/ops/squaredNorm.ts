import { DTypeError } from "../errors.ts";
import { ndarray } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./binary.ts";
import { defineOp } from "./defineOp.ts";
import { sumSquares } from "./sumSquares.ts";

/**
 * Sum of the squares of all entries of several tensors: the square of their norm as one vector, as for all gradients of a step.
 *
 * Shapes: each [...]; y [].
 * Errors: DTypeError. No gradient.
 */
const squaredNormOp = defineOp({
  name: "squaredNorm",
  room: "sumSquares",
  inputs: { "...": "..." } as Readonly<Record<string, string>>,
  attrs: {},
  outputs: { y: "" },
  differentiable: [],
  check: (_, __, inputs) => {
    for (const { dtype } of Object.values(inputs))
      if (dtype !== "float32") throw new DTypeError(`squaredNorm: tensors must be float32, got ${dtype}`);
  },
  reference: (inputs) => ({
    y: ndarray([], [Object.values(inputs).reduce((sum, { data }) => data.reduce((a, b) => a + b * b, sum), 0)]),
  }),
  compose: (inputs) => ({
    y: Object.values(inputs)
      .map((x) => sumSquares({ x }).y)
      .reduce((a, b) => add(a, b)),
  }),
  cost: () => ({ flops: 0, bytes: 0 }),
});

/**
 * Sum of the squares of all entries of at least one tensor, a scalar.
 * @throws DTypeError unless all are float32.
 */
export function squaredNorm(xs: readonly Tensor[]): Tensor {
  return squaredNormOp(Object.fromEntries(xs.map((x, i) => [String(i), x]))).y;
}
