import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { causalConv1dReference, causalConv1dStepReference } from "./reference.ts";

/** Arguments of `causalConv1d`; k taps a channel. */
export interface CausalConv1dInputs {
  x: Tensor; // [b, l, d]
  weight: Tensor; // [d, k]
  bias?: Tensor | undefined; // [d]
  initialState?: Tensor | undefined; // [b, k-1, d]
  seqIdx?: Tensor | undefined; // int32 [b, l]
}

/** Settings of `causalConv1d`; both are off unless given. */
export interface CausalConv1dAttrs {
  /** silu on the output. */
  silu?: boolean;
  returnLastState?: boolean;
}

/** Results of `causalConv1d`. */
export interface CausalConv1dOutputs {
  y: Tensor; // [b, l, d]
  /** With `returnLastState`: the last k-1 inputs, oldest first. */
  lastState?: Tensor; // [b, k-1, d]
}

/**
 * Depthwise causal convolution: y_t = silu(bias + sum_j weight_j x_{t-(k-1)+j}); the last tap weighs the current step.
 *
 * Shapes: x, y [b, l, d]; weight [d, k]; bias [d]; initialState, lastState [b, k-1, d], oldest first; seqIdx int32 [b, l].
 * Where seqIdx changes along l a new sequence starts, and the window does not reach over the boundary.
 * Errors: ShapeError, DTypeError.
 * Source: the `causal-conv1d` of Mamba (arXiv 2312.00752, section 3.4), in [b, l, d] layout; the weight's middle axis of 1 is dropped.
 */
export const causalConv1d: Op<CausalConv1dInputs, CausalConv1dAttrs, CausalConv1dOutputs> = defineOp<
  CausalConv1dInputs,
  CausalConv1dAttrs,
  CausalConv1dOutputs
>({
  name: "causalConv1d",
  inputs: { x: "b l d", weight: "d k", bias: "d?", initialState: "b k-1 d?", seqIdx: "int32 b l?" },
  attrs: { silu: false, returnLastState: false },
  outputs: ({ dims: { b, l, d, k } }, { returnLastState }) => ({
    y: [b!, l!, d!],
    ...(returnLastState ? { lastState: [b!, k! - 1, d!] } : {}),
  }),
  differentiable: ["x", "weight", "bias", "initialState"],
  reference: causalConv1dReference,
  cost: ({ dims: { b, l, d, k } }) => ({ flops: 2 * b! * l! * d! * k!, bytes: 8 * b! * l! * d! }),
});

/** Arguments of `causalConv1dStep`: one token a row. */
export interface CausalConv1dStepInputs {
  x: Tensor; // [b, d]
  /** Changed in place. */
  state: Tensor; // [b, k-1, d]
  weight: Tensor; // [d, k]
  bias?: Tensor | undefined; // [d]
}

/**
 * One step of `causalConv1d`; the state is updated in place.
 *
 * Shapes: x, y [b, d]; state [b, k-1, d], oldest first; weight [d, k]; bias [d].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const causalConv1dStep: Op<CausalConv1dStepInputs, { silu?: boolean }, { y: Tensor }> = defineOp<
  CausalConv1dStepInputs,
  { silu?: boolean },
  { y: Tensor }
>({
  name: "causalConv1dStep",
  inputs: { x: "b d", weight: "d k", state: "b k-1 d", bias: "d?" },
  attrs: { silu: false },
  outputs: ({ dims: { b, d } }) => ({ y: [b!, d!] }),
  differentiable: [],
  inPlace: ["state"],
  reference: causalConv1dStepReference,
  cost: ({ dims: { b, d, k } }) => ({ flops: 2 * b! * d! * k!, bytes: 8 * b! * d! * k! }),
});
