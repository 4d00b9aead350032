import { add, arithmetic, equal, mul, sub, type Binary } from "./binary.ts";
import { cast } from "./make.ts";
import { exp, log } from "./unary.ts";

/** a to the power of b, for a > 0 or whole b; of int32 it wraps around, and is cut toward zero where b < 0. */
export const pow: Binary = arithmetic(
  "pow",
  (a, b) => a ** b,
  ["a", "b", "y"],
  (dy, { a, b, y }) => {
    // At a = 0 the limits: y log a is 0 there.
    const base = add(a!, cast(equal(a!, 0), "float32"));
    return [mul(dy, mul(b!, pow(a!, sub(b!, 1)))), mul(dy, mul(y!, log(base)))];
  },
  (a, b) => exp(mul(b, log(a))),
);
