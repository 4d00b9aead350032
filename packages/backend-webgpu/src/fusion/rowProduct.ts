import type { Dispatch } from "../device/launch.ts";
import { isGemv, planGemv, stagedInputs } from "../ops/linear/gemv.ts";
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

/** What makes the row that the product reads: a root-mean-square norm, gated or not, or a gate alone. */
export interface RowInput {
  readonly x: Operand;
  /** Goes through SiLU and multiplies x. */
  readonly z: Operand | undefined;
  /** After the norm rather than before it. */
  readonly gateLast: boolean;
  readonly norm: { readonly weight: Operand | undefined; readonly eps: number } | undefined;
  /** silu(z), where an op of its own makes it. */
  readonly activated: Operand | undefined;
  /** What the product reads. */
  readonly y: Operand;
}

/** The norm of one ungrouped row of an `rmsNorm` whose output is what the product reads. */
export function normOf({ inputs, outputs, attrs }: OpRecord, product: RowProduct): RowInput | undefined {
  const { x, weight, z } = inputs;
  const [y] = outputs;
  // The product may read several heads as one row, each of which has its own norm.
  const groupSize = (attrs.groupSize as number) || x?.shape.at(-1);
  if (!x || !y || groupSize !== product.k || elementsOf(x) !== product.k || !sameStart(y, product.x)) return undefined;
  return {
    x,
    z,
    gateLast: !!attrs.normBeforeGate,
    norm: { weight, eps: attrs.eps as number },
    activated: undefined,
    y,
  };
}

/** The gate of a gated MLP: `silu`, and the `mul` of it and something of the same size that the product reads. */
export function gateOf(silu: OpRecord, mul: OpRecord, product: RowProduct): RowInput | undefined {
  const { x: z } = silu.inputs;
  const [activated] = silu.outputs;
  const { a, b } = mul.inputs;
  const [y] = mul.outputs;
  if (!z || !activated || !a || !b || !y || !sameStart(y, product.x)) return undefined;
  if ([z, a, b].some((operand) => operand.dtype !== "float32" || elementsOf(operand) !== product.k)) return undefined;
  const [isA, isB] = [sameStart(a, activated), sameStart(b, activated)];
  return isA === isB ? undefined : { x: isA ? b : a, z, gateLast: false, norm: undefined, activated, y };
}

/** The step of a convolution over some of the product's elements, at batch 1. */
export interface RowConvolution {
  readonly weight: Operand;
  readonly bias: Operand | undefined;
  readonly state: Operand;
  readonly y: Operand;
  /** The first of them. */
  readonly first: number;
  readonly d: number;
  readonly taps: number;
  readonly silu: boolean;
}

/** The convolution of a `causalConv1dStep` that reads a part of the product. */
export function rowConvolutionOf(
  { inputs, outputs, attrs }: OpRecord,
  product: RowProduct,
): RowConvolution | undefined {
  const { x, weight, bias, state } = inputs;
  const [y] = outputs;
  if (!x || !weight || !state || !y) return undefined;
  const [b, d] = x.shape as [number, number];
  const first = (x.offset - product.y.offset) / 4;
  if (b !== 1 || x.buffer !== product.y.buffer || first < 0 || first + d > product.n) return undefined;
  return { weight, bias, state, y, first, d, taps: weight.shape[1]!, silu: !!attrs.silu };
}

/** The residual stream: what is added to the product, and the sum. */
export interface Residual {
  readonly other: Operand;
  readonly sum: Operand;
  /** What the product is multiplied by first. */
  readonly factor: Factor | undefined;
}

/** A number that a product is multiplied by. */
export interface Factor {
  readonly value: number;
  /** The tensor of that one number. */
  readonly tensor: Operand;
  /** The multiplied product. */
  readonly y: Operand;
}

/** The factor of a `full` of one number and the `mul` of it and the product. */
export function factorOf(full: OpRecord, mul: OpRecord, product: RowProduct): Factor | undefined {
  const [tensor] = full.outputs;
  const { a, b } = mul.inputs;
  const [y] = mul.outputs;
  if (!tensor || !a || !b || !y || tensor.dtype !== "float32" || elementsOf(tensor) !== 1) return undefined;
  if (!sameStart(a, product.y) || !sameStart(b, tensor) || elementsOf(y) !== product.n) return undefined;
  return { value: Number(full.attrs.value), tensor, y };
}

/** The residual of an `add` of the product, or of that times a factor, and something of the same size. */
export function residualOf(
  { inputs, outputs }: OpRecord,
  product: RowProduct,
  factor: Factor | undefined,
): Residual | undefined {
  const { a, b } = inputs;
  const [sum] = outputs;
  if (!a || !b || !sum || sum.dtype !== "float32") return undefined;
  if ([a, b, sum].some((operand) => elementsOf(operand) !== product.n)) return undefined;
  const y = factor?.y ?? product.y;
  const other = sameStart(a, y) ? b : sameStart(b, y) ? a : undefined;
  return other && { other, sum, factor };
}

/** What may stand around a product. */
export interface Neighbours {
  readonly input?: RowInput | undefined;
  readonly conv?: RowConvolution | undefined;
  readonly residual?: Residual | undefined;
}

/** One dispatch for a product with its neighbours (gemvFused.wgsl). */
export function fuseRowProduct(
  lowering: Lowering,
  product: RowProduct,
  { input, conv, residual }: Neighbours,
): Dispatch | undefined {
  const { x, W, bias, y, n, k } = product;
  const { constants, params, ...plan } = planGemv(n, k, W.format, lowering.traits);
  const { first = 0, d = 0, taps = 1, silu = false } = conv ?? {};
  return lowering.dispatch("linear/gemvFused", {
    ...plan,
    constants: {
      ...constants,
      K: input ? stagedInputs(k) : 0,
      NORM: input?.norm !== undefined,
      NORM_SQUARES: input?.norm !== undefined,
      GATE_LAST: input?.gateLast ?? false,
      TAPS: taps,
      CONV_SILU: silu,
    },
    params: { ...params, eps: input?.norm?.eps ?? 0, first, d, times: residual?.factor?.value ?? 1 },
    buffers: {
      x: input?.x ?? x,
      W,
      bias,
      y,
      normWeight: input?.norm?.weight,
      normed: input?.y,
      z: input?.z,
      activated: input?.activated,
      residual: residual?.other,
      added: residual?.sum,
      factor: residual?.factor?.tensor,
      scaled: residual?.factor?.y,
      convWeight: conv?.weight,
      convBias: conv?.bias,
      convState: conv?.state,
      convolved: conv?.y,
    },
  });
}
