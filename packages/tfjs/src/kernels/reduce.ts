import {
  argMax,
  cast,
  cumsum,
  exp,
  log,
  matMul,
  max,
  mean,
  min,
  neg,
  relu,
  reshape,
  sigmoid,
  softmax,
  sub,
  sum,
  add,
  type Tensor,
} from "@statespace/core";
import {
  util,
  type ArgMaxAttrs,
  type BatchMatMulAttrs,
  type CumsumAttrs,
  type LogSoftmaxAttrs,
  type MaxAttrs,
  type SumAttrs,
  type _FusedMatMulAttrs,
} from "@tensorflow/tfjs-core";
import { BackendError } from "@statespace/core";
import type { TfKernel } from "../tfBackend.ts";
import { elu, leakyRelu, prelu, relu6 } from "./elementwise.ts";

type Reduction = (x: Tensor, axes: readonly number[], keepDims: boolean) => Tensor;

const reduction =
  (op: Reduction): TfKernel =>
  ({ x }, attrs) => {
    const { axis, reductionIndices, keepDims } = attrs as unknown as Partial<SumAttrs & MaxAttrs>;
    return op(
      x!,
      util.parseAxisParam(reductionIndices ?? axis ?? x!.shape.map((_, i) => i), [...x!.shape]),
      keepDims ?? false,
    );
  };
const float = (x: Tensor): Tensor => (x.dtype === "float32" ? x : cast(x, "float32"));
/** Of integers through floats: exact below 2^24. */
const extreme =
  (op: Reduction): Reduction =>
  (x, axes, keepDims) =>
    x.dtype === "float32" ? op(x, axes, keepDims) : cast(op(float(x), axes, keepDims), x.dtype);

function along(
  { x }: Readonly<Record<string, Tensor>>,
  axis: number,
  find: (x: Tensor, axis: number) => Tensor,
): Tensor {
  return find(float(x!), util.parseAxisParam(axis, [...x!.shape])[0]!);
}

const logSumExp = (x: Tensor): Tensor => {
  const peak = max(x, -1, true);
  return add(log(sum(exp(sub(x, peak)), -1, true)), peak);
};

/** The activations of a fused product. */
const activations: Readonly<Record<string, (x: Tensor, attrs: _FusedMatMulAttrs, weights?: Tensor) => Tensor>> = {
  linear: (x) => x,
  relu,
  relu6,
  elu,
  sigmoid,
  leakyrelu: (x, { leakyreluAlpha }) => leakyRelu(x, leakyreluAlpha ?? 0.2),
  prelu: (x, _, weights) => prelu(x, weights!),
};

/** Sums, extremes and products. */
export const reduceKernels: Readonly<Record<string, TfKernel>> = {
  Sum: reduction((x, axes, keepDims) => sum(x.dtype === "bool" ? cast(x, "int32") : x, axes, keepDims)),
  Mean: reduction((x, axes, keepDims) => mean(float(x), axes, keepDims)),
  Max: reduction(extreme(max)),
  Min: reduction(extreme(min)),
  All: reduction(extreme(min)),
  Any: reduction(extreme(max)),
  ArgMax: (inputs, attrs) => along(inputs, (attrs as unknown as ArgMaxAttrs).axis, argMax),
  ArgMin: (inputs, attrs) => along(inputs, (attrs as unknown as ArgMaxAttrs).axis, (x, axis) => argMax(neg(x), axis)),
  Softmax: ({ logits }) => softmax(logits!),
  LogSoftmax: ({ logits }, attrs) => {
    const { axis } = attrs as unknown as LogSoftmaxAttrs;
    if (axis !== -1 && axis !== logits!.shape.length - 1)
      throw new BackendError(`LogSoftmax: only over the last axis, got axis ${axis}`);
    return sub(logits!, logSumExp(logits!));
  },
  Cumsum: ({ x }, attrs) => {
    const { axis, exclusive, reverse } = attrs as unknown as CumsumAttrs;
    return cumsum(x!, axis, { exclusive, reverse });
  },
  BatchMatMul: ({ a, b }, attrs) => {
    const { transposeA, transposeB } = attrs as unknown as BatchMatMulAttrs;
    return matMul(a!, b!, transposeA, transposeB);
  },
  _FusedMatMul: ({ a, b, bias, preluActivationWeights }, attrs) => {
    const fused = attrs as unknown as _FusedMatMulAttrs;
    const product = matMul(a!, b!, fused.transposeA, fused.transposeB);
    const activate = activations[fused.activation ?? "linear"];
    if (activate === undefined) throw new BackendError(`_FusedMatMul: there is no activation ${fused.activation}`);
    const y = activate(bias ? add(product, bias) : product, fused, preluActivationWeights);
    return y === product ? reshape(product, product.shape) : y;
  },
};
