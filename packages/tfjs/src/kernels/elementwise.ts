import {
  abs,
  add,
  cast,
  clip,
  cos,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sigmoid,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
  type Tensor,
} from "@statespace/core";
import {
  erf,
  expm1,
  floor,
  greaterEqual,
  lessEqual,
  log1p,
  logicalAnd,
  logicalNot,
  notEqual,
  pow,
  reciprocal,
  round,
  rsqrt,
  sign,
  type Binary,
} from "@statespace/core/ops";
import type { ClipByValueAttrs, FusedBatchNormAttrs, LeakyReluAttrs, StepAttrs } from "@tensorflow/tfjs-core";
import type { TfKernel } from "../tfBackend.ts";

type Unary = (x: Tensor) => Tensor;

const float = (x: Tensor): Tensor => (x.dtype === "float32" ? x : cast(x, "float32"));
/** Of any dtype to float32. */
const toFloat =
  (op: Unary): TfKernel =>
  ({ x }) =>
    op(float(x!));
/** Of integers to integers too: exact below 2^24, as tfjs's own are. */
const sameType =
  (op: Unary): TfKernel =>
  ({ x }) =>
    x!.dtype === "float32" ? op(x!) : cast(op(float(x!)), x!.dtype);

export const elu = (x: Tensor): Tensor => where(greater(x, 0), x, expm1(x));
export const leakyRelu = (x: Tensor, alpha: number): Tensor => where(greater(x, 0), x, mul(x, alpha));
export const prelu = (x: Tensor, alpha: Tensor): Tensor => where(greater(x, 0), x, mul(x, alpha));
export const relu6 = (x: Tensor): Tensor => clip(x, 0, 6);

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

const unary: Record<string, TfKernel> = {
  Abs: ({ x }) => abs(x!),
  Neg: ({ x }) => neg(x!),
  Square: ({ x }) => square(x!),
  Ceil: sameType((x) => neg(floor(neg(x)))),
  Floor: sameType(floor),
  Round: sameType(round),
  Sign: sameType(sign),
  Relu: sameType(relu),
  Relu6: sameType(relu6),
  Exp: toFloat(exp),
  Expm1: toFloat(expm1),
  Log: toFloat(log),
  Log1p: toFloat(log1p),
  Sqrt: toFloat(sqrt),
  Rsqrt: toFloat(rsqrt),
  Reciprocal: toFloat(reciprocal),
  Sigmoid: toFloat(sigmoid),
  Tanh: toFloat(tanh),
  Softplus: toFloat(softplus),
  Sin: toFloat(sin),
  Cos: toFloat(cos),
  Tan: toFloat((x) => div(sin(x), cos(x))),
  Erf: toFloat(erf),
  Elu: toFloat(elu),
  Selu: toFloat((x) => mul(where(greater(x, 0), x, mul(expm1(x), SELU_ALPHA)), SELU_SCALE)),
  LeakyRelu: ({ x }, attrs) => leakyRelu(float(x!), (attrs as unknown as LeakyReluAttrs).alpha),
  Prelu: ({ x, alpha }) => prelu(x!, alpha!),
  /** The slope of elu from its output. */
  EluGrad: ({ dy, y }) => mul(dy!, add(minimum(y!, 0), 1)),
  /** 1 above 0, `alpha` elsewhere. */
  Step: ({ x }, attrs) => {
    const { alpha } = attrs as unknown as StepAttrs;
    return add(mul(cast(greater(float(x!), 0), "float32"), 1 - alpha), alpha);
  },
  ClipByValue: ({ x }, attrs) => {
    const { clipValueMin, clipValueMax } = attrs as unknown as ClipByValueAttrs;
    return x!.dtype === "int32"
      ? minimum(maximum(x!, clipValueMin), clipValueMax)
      : clip(x!, clipValueMin, clipValueMax);
  },
};

/** bool counts as int32. */
const number = (x: Tensor): Tensor => (x.dtype === "bool" ? cast(x, "int32") : x);
const binary =
  (op: Binary): TfKernel =>
  ({ a, b }) =>
    op(number(a!), number(b!));

const floorDiv: Binary = (a, b) => {
  const [x, y] = [a as Tensor, b as Tensor];
  const quotient = floor(div(float(x), float(y)));
  return x.dtype === "int32" ? cast(quotient, "int32") : quotient;
};

const pairs: Record<string, TfKernel> = {
  Add: binary(add),
  Sub: binary(sub),
  Multiply: binary(mul),
  RealDiv: ({ a, b }) => div(float(a!), float(b!)),
  FloorDiv: binary(floorDiv),
  Mod: binary((a, b) => sub(a, mul(floorDiv(a, b), b))),
  Maximum: binary(maximum),
  Minimum: binary(minimum),
  Pow: ({ a, b }) => (a!.dtype === "float32" ? pow(a!, b!) : cast(pow(float(a!), float(b!)), a!.dtype)),
  SquaredDifference: binary((a, b) => square(sub(a, b))),
  Equal: binary(equal),
  NotEqual: binary(notEqual),
  Less: binary(less),
  LessEqual: binary(lessEqual),
  Greater: binary(greater),
  GreaterEqual: binary(greaterEqual),
  LogicalAnd: ({ a, b }) => logicalAnd(a!, b!),
  LogicalOr: ({ a, b }) => logicalNot(logicalAnd(logicalNot(a!), logicalNot(b!))),
  LogicalNot: ({ x }) => logicalNot(x!),
  AddN: ({ list }) => list.slice(1).reduce((sum, x) => add(sum, x), mul(list[0]!, 1)),
  FusedBatchNorm: ({ x, scale, offset, mean, variance }, attrs) => {
    const { varianceEpsilon } = attrs as unknown as FusedBatchNormAttrs;
    const normed = mul(sub(x!, mean!), rsqrt(add(variance!, varianceEpsilon)));
    const scaled = scale ? mul(normed, scale) : normed;
    return offset ? add(scaled, offset) : scaled;
  },
  Select: ({ condition, t, e }) => where(condition!, t!, e!),
};

/** One value from one or two. */
export const elementwiseKernels: Readonly<Record<string, TfKernel>> = { ...unary, ...pairs };
