import { full } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, arithmetic, div, equal, greater, less, maximum, mul, notEqual, sub, type Binary } from "./binary.ts";
import { cast, where } from "./make.ts";
import { powerOf } from "./scalar.ts";
import { abs, exp, floor, log, neg } from "./unary.ts";

/** a to the power of b, for a > 0 or whole b; of int32 it wraps around, and is cut toward zero where b < 0. */
export const pow: Binary = arithmetic(
  "pow",
  powerOf,
  ["a", "b", "y"],
  (dy, { a, b, y }) => {
    // At a = 0 the limits: y log a is 0 there.
    const base = add(a!, cast(equal(a!, 0), "float32"));
    return [mul(dy, mul(b!, pow(a!, sub(b!, 1)))), mul(dy, mul(y!, log(base)))];
  },
  (a, b) => (a.dtype === "int32" ? wholePower(a, b) : realPower(a, b)),
);

/** By the logarithm of |a|; of a < 0 with the sign that a whole b gives it, and no number where b is not whole. */
function realPower(a: Tensor, b: Tensor): Tensor {
  const number = (value: number): Tensor => full([], value, { backend: a.backend });
  const size = exp(mul(b, log(abs(a))));
  const half = mul(b, 0.5);
  const odd = notEqual(floor(half), half);
  const signed = where(equal(floor(b), b), where(odd, neg(size), size), number(Number.NaN));
  const one = add(cast(equal(b, 0), "int32"), cast(equal(a, 1), "int32"));
  return where(greater(one, 0), number(1), where(less(a, 0), signed, size));
}

/** By squaring, which wraps around as a product does; cut toward zero where b < 0: only 1 and -1 leave anything. */
function wholePower(a: Tensor, b: Tensor): Tensor {
  const number = (value: number): Tensor => full([], value, { dtype: "int32", backend: a.backend });
  let [result, square, rest] = [add(mul(a, 0), 1), a, maximum(b, 0)];
  for (let bit = 0; bit < 31; bit++) {
    const half = div(rest, 2);
    result = mul(result, where(equal(sub(rest, mul(half, 2)), 1), square, number(1)));
    [square, rest] = [mul(square, square), half];
  }
  const odd = notEqual(mul(div(b, 2), 2), b);
  const below = where(equal(abs(a), 1), where(odd, a, number(1)), number(0));
  return where(less(b, 0), below, result);
}
