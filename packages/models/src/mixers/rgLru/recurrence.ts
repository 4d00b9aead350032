import { maximum, mul, pad, reshape, sqrt, type Tensor } from "@statespace/core";
import { diagonalScan, expm1, sliceAxis } from "@statespace/core/ops";

/** Below it a root has no slope: a gate that is shut so far lets nothing through in float32. */
const SMALLEST = 1e-30;

/** sqrt(1 - a^2) of log a, without cancellation where a is nearly 1. */
export function inputScale(logA: Tensor): Tensor {
  return sqrt(maximum(mul(expm1(mul(logA, 2)), -1), SMALLEST));
}

/**
 * h_t = a_t h_{t-1} + input_t, by the complex scan, whose imaginary parts stay 0.
 * Shapes: a, input, states [b, l, d]; initial, last [b, d].
 */
export function realScan(a: Tensor, input: Tensor, initial: Tensor | undefined): { states: Tensor; last: Tensor } {
  const [b, l, d] = input.shape as [number, number, number];
  const { states, lastState } = diagonalScan(
    { ABar: asComplex(a), Bu: asComplex(input), initialState: initial && asComplex(initial) },
    { returnLastState: true },
  );
  return { states: realPart(states, [b, l, d]), last: realPart(lastState!, [b, d]) };
}

/** [...] -> [..., 2] */
function asComplex(x: Tensor): Tensor {
  return pad(reshape(x, [...x.shape, 1]), [...x.shape.map(() => [0, 0] as const), [0, 1]]);
}

/** [..., 2] -> [...] */
function realPart(x: Tensor, shape: readonly number[]): Tensor {
  return reshape(sliceAxis(x, x.shape.length - 1, 0, 1), shape);
}
