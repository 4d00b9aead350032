import { erf as erfOf, gelu as geluOf } from "../math/erf.ts";
import { sizeOf } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  add,
  div,
  equal,
  greater,
  less,
  logicalAnd,
  logicalNot,
  maximum,
  minimum,
  mul,
  sub,
  greaterEqual,
  lessEqual,
} from "./binary.ts";
import type { BackwardContext, NoAttrs } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { mapArray } from "./loops.ts";
import { cast, where } from "./make.ts";
import type { BoundDims } from "./shapes.ts";

/** An op on one tensor, element by element. */
export type Unary = (x: Tensor) => Tensor;

const common = {
  room: "unary",
  cut: "...",
  cost: ({ lead }: BoundDims) => ({ flops: sizeOf(lead), bytes: 8 * sizeOf(lead) }),
} as const;

/** How an elementwise op goes back: the gradient from that of y and from x or y; or that it is flat. */
interface Back {
  readonly x?: (dy: Tensor, x: Tensor) => Tensor;
  readonly y?: (dy: Tensor, y: Tensor) => Tensor;
  readonly int32?: boolean;
}

/** One elementwise op in one line: its name, what it is in float64, its gradient, and what it is made of where a backend lacks it. */
function unary(name: string, f: (x: number) => number, back: Back, compose?: Unary): Unary {
  const shape = back.int32 ? "float32|int32 ..." : "...";
  const from = back.x ? "x" : "y";
  const rule = back[from];
  const op = defineOp({
    ...common,
    name,
    inputs: { x: shape },
    attrs: {},
    outputs: { y: shape },
    differentiable: rule ? ["x"] : [],
    ...(rule
      ? {
          gradient: {
            save: [from],
            backward: ({ saved, dy }: BackwardContext<NoAttrs>) => ({ x: rule(dy, saved[from]!) }),
          },
        }
      : { flat: true }),
    reference: ({ x }) => ({ y: mapArray(x!, f) }),
    ...(compose ? { compose: ({ x }: { x: Tensor }) => ({ y: compose(x) }) } : {}),
  });
  return (x) => op({ x }).y;
}

/** -x. */
export const neg: Unary = unary(
  "neg",
  (x) => -x,
  { y: (dy) => neg(dy), int32: true },
  (x) => mul(x, -1),
);

/** |x|. */
export const abs: Unary = unary("abs", Math.abs, { x: (dy, x) => mul(dy, sign(x)), int32: true }, (x) =>
  maximum(x, neg(x)),
);

/** -1, 0 or 1. */
export const sign: Unary = unary("sign", Math.sign, {}, (x) => {
  const signs = sub(cast(greater(x, 0), "float32"), cast(less(x, 0), "float32"));
  return where(equal(x, x), signs, x); // of NaN it is NaN
});

/** From 2^23 on every float32 is whole. */
const WHOLE = 2 ** 23;

/** Largest integer not above x. */
export const floor: Unary = unary("floor", Math.floor, {}, (x) => {
  const cut = cast(cast(clip(x, -WHOLE, WHOLE), "int32"), "float32");
  return where(less(abs(x), WHOLE), sub(cut, cast(greater(cut, x), "float32")), x);
});

/** Nearest integer, ties to even. */
export const round: Unary = unary("round", roundHalfEven, {}, (x) => {
  const low = floor(x);
  const rest = sub(x, low);
  const odd = greater(sub(low, mul(floor(mul(low, 0.5)), 2)), 0);
  const tie = logicalAnd(logicalNot(less(rest, 0.5)), odd); // a tie goes up from an odd number
  return add(low, maximum(cast(greater(rest, 0.5), "float32"), cast(tie, "float32")));
});

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** e^x. */
export const exp: Unary = unary("exp", Math.exp, { y: (dy, y) => mul(dy, y) });

/** Natural logarithm. */
export const log: Unary = unary("log", Math.log, { x: (dy, x) => div(dy, x) });

/** e^x - 1 without cancellation near 0. Composed after W. Kahan: the rounding of e^x cancels in (e^x - 1) x / log e^x. */
export const expm1: Unary = unary("expm1", Math.expm1, { x: (dy, x) => mul(dy, exp(x)) }, (x) => {
  const y = exp(x);
  const rest = sub(y, 1);
  return where(less(abs(x), 0.5), where(equal(y, 1), x, div(mul(rest, x), log(y))), rest);
});

/** log(1 + x) without cancellation near 0. Composed after W. Kahan, as `expm1`. */
export const log1p: Unary = unary("log1p", Math.log1p, { x: (dy, x) => div(dy, add(x, 1)) }, (x) => {
  const y = add(x, 1);
  return where(less(abs(x), 0.5), where(equal(y, 1), x, div(mul(log(y), x), sub(y, 1))), log(y));
});

/** Square root. */
export const sqrt: Unary = unary("sqrt", Math.sqrt, { y: (dy, y) => div(dy, mul(y, 2)) }, (x) => exp(mul(log(x), 0.5)));

/** 1 / sqrt(x). */
export const rsqrt: Unary = unary(
  "rsqrt",
  (x) => 1 / Math.sqrt(x),
  { y: (dy, y) => mul(mul(mul(mul(dy, y), y), y), -0.5) },
  (x) => exp(mul(log(x), -0.5)),
);

/** x^2. */
export const square: Unary = unary(
  "square",
  (x) => x * x,
  { x: (dy, x) => mul(dy, mul(x, 2)), int32: true },
  (x) => mul(x, x),
);

/** 1 / x. */
export const reciprocal: Unary = unary(
  "reciprocal",
  (x) => 1 / x,
  { y: (dy, y) => neg(mul(mul(dy, y), y)) },
  (x) => div(1, x),
);

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

/** 1 / (1 + e^-x). */
export const sigmoid: Unary = unary(
  "sigmoid",
  sigmoidOf,
  { x: (dy, x) => mul(dy, mul(sigmoid(x), sigmoid(neg(x)))) },
  (x) => div(1, add(exp(neg(x)), 1)),
);

/** 1 - tanh^2, which far from 0 has digits where the difference has none: 4 sigmoid(2 x) sigmoid(-2 x). */
function squaredSech(x: Tensor): Tensor {
  const twice = mul(x, 2);
  return mul(mul(sigmoid(twice), sigmoid(neg(twice))), 4);
}

/** Hyperbolic tangent. */
export const tanh: Unary = unary("tanh", Math.tanh, { x: (dy, x) => mul(dy, squaredSech(x)) }, (x) => {
  const less1 = expm1(mul(abs(x), -2));
  return mul(sign(x), div(neg(less1), add(less1, 2)));
});

/** log(1 + e^x), accurate relatively for every x. */
export const softplus: Unary = unary(
  "softplus",
  (x) => (x > 40 ? x : Math.log1p(Math.exp(x))),
  { x: (dy, x) => mul(dy, sigmoid(x)) },
  (x) => add(maximum(x, 0), log1p(exp(neg(abs(x))))),
);

/** max(x, 0). */
export const relu: Unary = unary(
  "relu",
  (x) => Math.max(x, 0),
  { x: (dy, x) => mul(dy, cast(greater(x, 0), "float32")) },
  (x) => maximum(x, 0),
);

/** x sigmoid(x), also called swish. */
export const silu: Unary = unary(
  "silu",
  (x) => x * sigmoidOf(x),
  {
    x: (dy, x) => {
      const s = sigmoid(x);
      return mul(dy, mul(s, add(mul(x, sigmoid(neg(x))), 1)));
    },
  },
  (x) => mul(x, sigmoid(x)),
);

/** x Phi(x), the exact form with erf. */
export const gelu: Unary = unary(
  "gelu",
  geluOf,
  {
    x: (dy, x) => {
      const cdf = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
      const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return mul(dy, add(cdf, mul(x, density)));
    },
  },
  (x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)),
);

/** Sine. */
export const sin: Unary = unary("sin", Math.sin, { x: (dy, x) => mul(dy, cos(x)) });

/** Cosine. */
export const cos: Unary = unary("cos", Math.cos, { x: (dy, x) => neg(mul(dy, sin(x))) }, (x) =>
  sin(add(x, Math.PI / 2)),
);

/** Coefficients of t = 1 / (1 + |x| / 2), highest first. */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** Error function. Composed after erfc(x) = t exp(-x^2 + p(t)), good to 1.2e-7 absolutely (Numerical Recipes, section 6.2). */
export const erf: Unary = unary(
  "erf",
  erfOf,
  { x: (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))) },
  (x) => {
    const t = div(1, add(mul(abs(x), 0.5), 1));
    const polynomial = ERFC.reduce((y, c) => add(mul(y, t), c), mul(t, 0));
    return mul(sign(x), sub(1, mul(t, exp(sub(polynomial, square(x))))));
  },
);

const clipOp = defineOp({
  ...common,
  name: "clip",
  inputs: { x: "..." },
  attrs: { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY },
  outputs: { y: "..." },
  differentiable: ["x"],
  gradient: {
    save: ["x"],
    backward: ({ saved: { x }, dy, attrs: { min, max } }) => ({
      x: mul(dy, cast(logicalAnd(greaterEqual(x!, min), lessEqual(x!, max)), "float32")),
    }),
  },
  reference: ({ x }, { min, max }) => ({ y: mapArray(x, (v) => Math.min(max, Math.max(min, v))) }),
  compose: ({ x }, { min, max }) => ({ y: minimum(maximum(x, min), max) }),
});

/** x limited to [min, max]; no gradient where it is limited. */
export function clip(x: Tensor, min: number, max: number): Tensor {
  return clipOp({ x }, { min, max }).y;
}
