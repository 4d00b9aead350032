import { add, cast, div, greater, greaterEqual, lessEqual, logicalAnd, mul, neg, sub } from "./arithmetic.ts";
import { expectDType, noGradient, one, unary } from "./rules.ts";
import type { Tensor } from "../types.ts";

/** |x|. */
export function abs(x: Tensor): Tensor {
  return unary("abs", x, "x", (dy, v) => mul(dy, sign(v)), "int32");
}

/** -1, 0 or 1. */
export function sign(x: Tensor): Tensor {
  expectDType("sign", "x", x, "float32");
  return one("sign", { x }, {}, noGradient);
}

/** Largest integer not above x. */
export function floor(x: Tensor): Tensor {
  expectDType("floor", "x", x, "float32");
  return one("floor", { x }, {}, noGradient);
}

/** Nearest integer, ties to even. */
export function round(x: Tensor): Tensor {
  expectDType("round", "x", x, "float32");
  return one("round", { x }, {}, noGradient);
}

/** e^x. */
export function exp(x: Tensor): Tensor {
  return unary("exp", x, "y", (dy, y) => mul(dy, y));
}

/** e^x - 1 without cancellation near 0. */
export function expm1(x: Tensor): Tensor {
  return unary("expm1", x, "y", (dy, y) => mul(dy, add(y, 1)));
}

/** log(1 + x) without cancellation near 0. */
export function log1p(x: Tensor): Tensor {
  return unary("log1p", x, "x", (dy, v) => div(dy, add(v, 1)));
}

/** Square root. */
export function sqrt(x: Tensor): Tensor {
  return unary("sqrt", x, "y", (dy, y) => div(dy, mul(y, 2)));
}

/** 1 / sqrt(x). */
export function rsqrt(x: Tensor): Tensor {
  return unary("rsqrt", x, "y", (dy, y) => mul(dy, mul(mul(square(y), y), -0.5)));
}

/** x^2. */
export function square(x: Tensor): Tensor {
  return unary("square", x, "x", (dy, v) => mul(dy, mul(v, 2)), "int32");
}

/** 1 / x. */
export function reciprocal(x: Tensor): Tensor {
  return unary("reciprocal", x, "y", (dy, y) => neg(mul(dy, square(y))));
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return unary("sigmoid", x, "y", (dy, y) => mul(dy, mul(y, sub(1, y))));
}

/** Hyperbolic tangent. */
export function tanh(x: Tensor): Tensor {
  return unary("tanh", x, "y", (dy, y) => mul(dy, sub(1, square(y))));
}

/** log(1 + e^x), accurate relatively for every x. */
export function softplus(x: Tensor): Tensor {
  return unary("softplus", x, "x", (dy, v) => mul(dy, sigmoid(v)));
}

/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  return unary("relu", x, "x", (dy, v) => mul(dy, cast(greater(v, 0), "float32")));
}

/** x sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return unary("silu", x, "x", (dy, v) => {
    const s = sigmoid(v);
    return mul(dy, mul(s, add(mul(v, sub(1, s)), 1)));
  });
}

/** x Phi(x), the exact form with erf. */
export function gelu(x: Tensor): Tensor {
  return unary("gelu", x, "x", (dy, v) => {
    const cdf = mul(add(erf(mul(v, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(square(v), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return mul(dy, add(cdf, mul(v, density)));
  });
}

/** Sine. */
export function sin(x: Tensor): Tensor {
  return unary("sin", x, "x", (dy, v) => mul(dy, cos(v)));
}

/** Cosine. */
export function cos(x: Tensor): Tensor {
  return unary("cos", x, "x", (dy, v) => neg(mul(dy, sin(v))));
}

/** Error function. */
export function erf(x: Tensor): Tensor {
  return unary("erf", x, "x", (dy, v) => mul(dy, mul(exp(neg(square(v))), 2 / Math.sqrt(Math.PI))));
}

/** x limited to [min, max]; no gradient where it is limited. */
export function clip(x: Tensor, min: number, max: number): Tensor {
  expectDType("clip", "x", x, "float32");
  return one("clip", { x }, { min, max }, () => ({
    save: [x],
    backward: ([dy], [v]) => ({ x: mul(dy!, cast(logicalAnd(greaterEqual(v!, min), lessEqual(v!, max)), "float32")) }),
  }));
}
