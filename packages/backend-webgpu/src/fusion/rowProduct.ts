import type { Dispatch } from "../device/launch.ts";
import { isGemv, planGemv } from "../ops/linear/gemv.ts";
import type { Lowering } from "./pattern.ts";
import { elementsOf, sameStart, type OpRecord, type Operand } from "./record.ts";

/** A `linear` of one row: y [n] = W [n, k] x [k] + bias. */
export interface RowProduct {
  readonly x: Operand;
  readonly W: Operand;
  readonly bias: Operand | undefined;
  readonly y: Operand;
  readonly n: number;
  readonly k: number;
}

/** The product of a `linear`, if it is of one row that is read along with the weight's. */
export function rowProductOf({ inputs, outputs }: OpRecord): RowProduct | undefined {
  const { x, weight: W, bias } = inputs;
  const [y] = outputs;
  if (!x || !W || !y) return undefined;
  const [n, k] = W.shape as [number, number];
  return elementsOf(x) === k && isGemv(1, k, W.format) ? { x, W, bias, y, n, k } : undefined;
}

/** A root-mean-square norm of one row, ungrouped and ungated. */
export interface RowNorm {
  readonly x: Operand;
  readonly weight: Operand | undefined;
  readonly y: Operand;
  readonly eps: number;
}

/** The norm of an `rmsNorm` whose output is what the product reads. */
export function rowNormOf({ inputs, outputs, attrs }: OpRecord, product: RowProduct): RowNorm | undefined {
  const { x, weight, z } = inputs;
  const [y] = outputs;
  const groupSize = (attrs.groupSize as number) || product.k;
  if (!x || !y || z || groupSize !== product.k || elementsOf(x) !== product.k || !sameStart(y, product.x))
    return undefined;
  return { x, weight, y, eps: attrs.eps as number };
}

/** The step of a convolution over the product's first elements, at batch 1. */
export interface RowConvolution {
  readonly weight: Operand;
  readonly bias: Operand | undefined;
  readonly state: Operand;
  readonly y: Operand;
  readonly d: number;
  readonly taps: number;
  readonly silu: boolean;
}

/** The convolution of a `causalConv1dStep` that reads the front of the product. */
export function rowConvolutionOf(
  { inputs, outputs, attrs }: OpRecord,
  product: RowProduct,
): RowConvolution | undefined {
  const { x, weight, bias, state } = inputs;
  const [y] = outputs;
  if (!x || !weight || !state || !y) return undefined;
  const [b, d] = x.shape as [number, number];
  if (b !== 1 || d > product.n || !sameStart(x, product.y)) return undefined;
  return { weight, bias, state, y, d, taps: weight.shape[1]!, silu: !!attrs.silu };
}

/** The residual stream: what is added to the product, and the sum. */
export interface Residual {
  readonly other: Operand;
  readonly sum: Operand;
}

/** The residual of an `add` of the product and something of the same size. */
export function residualOf({ inputs, outputs }: OpRecord, product: RowProduct): Residual | undefined {
  const { a, b } = inputs;
  const [sum] = outputs;
  if (!a || !b || !sum || sum.dtype !== "float32") return undefined;
  if ([a, b, sum].some((operand) => elementsOf(operand) !== product.n)) return undefined;
  const other = sameStart(a, product.y) ? b : sameStart(b, product.y) ? a : undefined;
  return other && { other, sum };
}

/** One dispatch for a product with its neighbours (gemvFused.wgsl). */
export function fuseRowProduct(
  lowering: Lowering,
  product: RowProduct,
  { norm, conv, residual }: { norm?: RowNorm; conv?: RowConvolution; residual?: Residual },
): Dispatch | undefined {
  const { x, W, bias, y, n, k } = product;
  const { constants, params, ...plan } = planGemv(n, k, W.format, lowering.traits);
  return lowering.dispatch("linear/gemvFused", {
    ...plan,
    constants: { ...constants, TAPS: conv?.taps ?? 1, CONV_SILU: conv?.silu ?? false },
    params: { ...params, eps: norm?.eps ?? 0, d: conv?.d ?? 0 },
    buffers: {
      x: norm?.x ?? x,
      W,
      bias,
      y,
      normWeight: norm?.weight,
      normed: norm?.y,
      residual: residual?.other,
      added: residual?.sum,
      convWeight: conv?.weight,
      convBias: conv?.bias,
      convState: conv?.state,
      convolved: conv?.y,
    },
  });
}
