import { full, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { greater, lessEqual, mul } from "./binary.ts";
import { where } from "./make.ts";
import { abs } from "./unary.ts";

const LARGEST = 3.4028234663852886e38;

/**
 * A tensor in two parts, so that a product with 0 can hide what is no finite number: its finite values, 0 where there is none, and the
 * places of the others, 1 there and 0 elsewhere.
 */
export function apartFinite(x: Tensor): { finite: Tensor; lost: Tensor } {
  const is = lessEqual(abs(x), LARGEST); // not for NaN
  const one = full([1], 1, { backend: x.backend });
  const none = zeros([1], { backend: x.backend });
  return { finite: where(is, x, none), lost: where(is, none, one) };
}

/** `x` with NaN where `lost` is above 0; so is its gradient there. Both broadcast. */
export function spoiltWhere(lost: Tensor, x: Tensor): Tensor {
  const factor = (value: number): Tensor => full([1], value, { backend: x.backend });
  return mul(x, where(greater(lost, 0), factor(Number.NaN), factor(1)));
}
