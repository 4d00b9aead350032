/**
 * The base kernels every backend has, by the name of the public op. Shapes and dtypes are checked by the ops in `ops/` before a kernel runs.
 *
 * - full: attrs `shape, value, dtype`.
 * - identity, reshape: aliases; the shared table `aliasKernels` serves every backend.
 * - cast: attrs `dtype`; float to int truncates toward zero, anything to bool is `!= 0`.
 * - unary: input `x` (float32; neg, abs, square also int32), same shape.
 * - binary: inputs `a, b` broadcast as in NumPy, both of one dtype (float32 or int32); comparisons return bool.
 * - logicalAnd `a, b` broadcast bool; logicalNot `x`.
 * - where: `condition` (bool), `t`, `e`: all of one shape.
 * - sum, max, min: `x`; attrs `axes` (ascending), `keepDims`. argMax: `x`; attrs `axis`; int32, lowest index wins ties.
 * - softmax: `x`, over the last axis. cumsum: `x`; attrs `axis, exclusive, reverse`.
 * - matMul: `a` [ba, m, k], `b` [bb, k, n] (stored [.., k, m] / [.., n, k] where transposed), ba and bb equal or 1; attrs `transposeA, transposeB`.
 * - transpose: attrs `perm`. slice: attrs `begin, size`. concat: inputs `0, 1, ..`; attrs `axis`. reverse: attrs `axes`.
 * - pad: attrs `paddings` ([before, after] an axis), `value`. tile: attrs `reps`.
 * - gather: `x`, `indices` int32 (any shape, in range); attrs `axis`: x.shape[0..axis) + indices.shape + x.shape(axis..].
 * - oneHot: `indices` int32; attrs `depth`; float32, indices.shape + [depth].
 * - segmentSum: `x` [n, ...], `ids` int32 [n]; attrs `count`; rows added by id into [count, ...].
 * - clip: `x`; attrs `min, max`.
 */
export const UNARY_KERNELS = [
  "neg",
  "abs",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "rsqrt",
  "square",
  "reciprocal",
  "sigmoid",
  "tanh",
  "softplus",
  "relu",
  "silu",
  "gelu",
  "sin",
  "cos",
  "erf",
  "sign",
  "floor",
  "round",
] as const;

/** float32 or int32 in, the same out. */
export const BINARY_KERNELS = ["add", "sub", "mul", "div", "maximum", "minimum", "pow"] as const;

/** float32 or int32 in, bool out. */
export const COMPARE_KERNELS = ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"] as const;

/** The rest; see the list above. */
export const OTHER_KERNELS = [
  "full",
  "identity",
  "reshape",
  "cast",
  "logicalAnd",
  "logicalNot",
  "where",
  "sum",
  "max",
  "min",
  "argMax",
  "softmax",
  "cumsum",
  "matMul",
  "transpose",
  "slice",
  "concat",
  "reverse",
  "pad",
  "tile",
  "gather",
  "oneHot",
  "segmentSum",
  "clip",
] as const;

/** Every base kernel's name: what a backend's support table is measured against. */
export const BASE_KERNELS: readonly string[] = [
  ...UNARY_KERNELS,
  ...BINARY_KERNELS,
  ...COMPARE_KERNELS,
  ...OTHER_KERNELS,
];
