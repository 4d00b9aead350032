/**
 * The base kernels every backend has, by tfjs name. Shapes and dtypes are checked by the ops in `ops/` before a kernel runs.
 *
 * - Fill: attrs `shape, value, dtype`.
 * - Identity, Reshape: aliases; the shared table `aliasKernels` serves every backend.
 * - Cast: attrs `dtype`; float to int truncates toward zero, anything to bool is `!= 0`.
 * - unary: input `x` (float32; Neg, Abs, Square also int32), same shape.
 * - binary: inputs `a, b` broadcast as in NumPy, both of one dtype (float32 or int32); comparisons return bool.
 * - LogicalAnd `a, b` broadcast bool; LogicalNot `x`.
 * - Select: `condition` (bool), `t`, `e`: all of one shape.
 * - Sum, Max, Min: `x`; attrs `axes` (ascending), `keepDims`. ArgMax: `x`; attrs `axis`; int32, lowest index wins ties.
 * - Softmax: `x`, over the last axis. Cumsum: `x`; attrs `axis, exclusive, reverse`.
 * - BatchMatMul: `a` [ba, m, k], `b` [bb, k, n] (stored [.., k, m] / [.., n, k] where transposed), ba and bb equal or 1; attrs `transposeA, transposeB`.
 * - Transpose: attrs `perm`. Slice: attrs `begin, size`. Concat: inputs `0, 1, ..`; attrs `axis`. Reverse: attrs `axes`.
 * - Pad: attrs `paddings` ([before, after] an axis), `value`. Tile: attrs `reps`.
 * - Gather: `x`, `indices` int32 (any shape, in range); attrs `axis`: x.shape[0..axis) + indices.shape + x.shape(axis..].
 * - OneHot: `indices` int32; attrs `depth`; float32, indices.shape + [depth].
 * - SegmentSum: `x` [n, ...], `ids` int32 [n]; attrs `count`; rows added by id into [count, ...].
 * - ClipByValue: `x`; attrs `min, max`.
 */
export const UNARY_KERNELS = [
  "Neg",
  "Abs",
  "Exp",
  "Expm1",
  "Log",
  "Log1p",
  "Sqrt",
  "Rsqrt",
  "Square",
  "Reciprocal",
  "Sigmoid",
  "Tanh",
  "Softplus",
  "Relu",
  "Silu",
  "Gelu",
  "Sin",
  "Cos",
  "Erf",
  "Sign",
  "Floor",
  "Round",
] as const;

/** float32 or int32 in, the same out. */
export const BINARY_KERNELS = ["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "Pow"] as const;

/** float32 or int32 in, bool out. */
export const COMPARE_KERNELS = ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"] as const;

/** The rest; see the list above. */
export const OTHER_KERNELS = [
  "Fill",
  "Identity",
  "Reshape",
  "Cast",
  "LogicalAnd",
  "LogicalNot",
  "Select",
  "Sum",
  "Max",
  "Min",
  "ArgMax",
  "Softmax",
  "Cumsum",
  "BatchMatMul",
  "Transpose",
  "Slice",
  "Concat",
  "Reverse",
  "Pad",
  "Tile",
  "Gather",
  "OneHot",
  "SegmentSum",
  "ClipByValue",
] as const;

/** Every base kernel's name: what a backend's support table is measured against. */
export const BASE_KERNELS: readonly string[] = [
  ...UNARY_KERNELS,
  ...BINARY_KERNELS,
  ...COMPARE_KERNELS,
  ...OTHER_KERNELS,
];
