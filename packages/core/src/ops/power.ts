import { arithmetic, div, mul, type Binary } from "./binary.ts";
import { exp, log } from "./unary.ts";

/** a to the power of b, for a > 0. */
export const pow: Binary = arithmetic(
  "pow",
  (a, b) => a ** b,
  ["a", "b", "y"],
  (dy, { a, b, y }) => [mul(dy, div(mul(b!, y!), a!)), mul(dy, mul(y!, log(a!)))],
  (a, b) => exp(mul(b, log(a))),
);
