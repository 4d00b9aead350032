import { ShapeError } from "../../errors.ts";
import { defineOp, type BoundDims, type Op, type Tensor } from "../../tensor/index.ts";
import { selectiveScanReference, selectiveScanStepReference } from "./reference.ts";

/** Arguments of `selectiveScan`: a state of n numbers a channel; delta is the step size. */
export interface SelectiveScanInputs {
  u: Tensor; // [b, l, d]
  delta: Tensor; // [b, l, d]
  A: Tensor; // [d, n]
  B: Tensor; // [b, l, n] or [b, l, g, n]
  C: Tensor; // as B
  D?: Tensor | undefined; // [d]
  z?: Tensor | undefined; // [b, l, d]
  deltaBias?: Tensor | undefined; // [d]
  initialState?: Tensor | undefined; // [b, d, n]
  seqIdx?: Tensor | undefined; // int32 [b, l]
}

/** Settings of `selectiveScan`; both are off unless given. */
export interface SelectiveScanAttrs {
  /** delta := softplus(delta + deltaBias). */
  deltaSoftplus?: boolean;
  returnLastState?: boolean;
}

/** Results of `selectiveScan`. */
export interface SelectiveScanOutputs {
  y: Tensor; // [b, l, d]
  /** With `returnLastState`: the state after the last token. */
  lastState?: Tensor; // [b, d, n]
}

function checkGroups(name: string, { dims: { d, g } }: BoundDims): void {
  if (g !== undefined && (g === 0 || d! % g !== 0))
    throw new ShapeError(`${name}: groups g = ${g} must divide d = ${d}`);
}

/**
 * The selective scan (S6), fused: discretization, recurrence, multiplication by C, skip and gate.
 *
 *     delta := softplus(delta + deltaBias)                      (if deltaSoftplus)
 *     state_t = exp(delta_t A) state_{t-1} + delta_t B_t u_t
 *     y_t = C_t . state_t + D u_t;   y_t := y_t silu(z_t)       (if z)
 *
 * Shapes: u, delta, z, y [b, l, d]; A [d, n], negative; B, C [b, l, n], or [b, l, g, n] with d/g channels a group; D, deltaBias [d];
 * initialState, lastState [b, d, n]; seqIdx int32 [b, l]: where it changes along l the state restarts from zero (packed
 * sequences); the initial state belongs to the row's first sequence, and lastState is that of its last.
 * Errors: ShapeError, DTypeError.
 * Source: Gu and Dao 2023 (arXiv 2312.00752), Algorithm 2 and section 3.3.2 (states are recomputed in the backward pass).
 * B is discretized by Euler's rule (delta B), as in the official code, where eq. 4 has zero-order hold.
 */
export const selectiveScan: Op<SelectiveScanInputs, SelectiveScanAttrs, SelectiveScanOutputs> = defineOp<
  SelectiveScanInputs,
  SelectiveScanAttrs,
  SelectiveScanOutputs
>({
  name: "selectiveScan",
  inputs: {
    u: "b l d",
    delta: "b l d",
    A: "d n",
    B: "b l n | b l g n",
    C: "b l n | b l g n",
    D: "d?",
    z: "b l d?",
    deltaBias: "d?",
    initialState: "b d n?",
    seqIdx: "int32 b l?",
  },
  attrs: { deltaSoftplus: false, returnLastState: false },
  outputs: ({ dims: { b, l, d, n } }, { returnLastState }) => ({
    y: [b!, l!, d!],
    ...(returnLastState ? { lastState: [b!, d!, n!] } : {}),
  }),
  check: (bound) => checkGroups("selectiveScan", bound),
  differentiable: ["u", "delta", "A", "B", "C", "D", "z", "deltaBias", "initialState"],
  reference: selectiveScanReference,
  cost: ({ dims: { b, l, d, n } }) => ({
    flops: 6 * b! * l! * d! * n!,
    bytes: 4 * (4 * b! * l! * d! + 2 * b! * l! * n! + d! * n!),
    exps: b! * l! * d! * n!,
  }),
});

/** Arguments of `selectiveScanStep`: one token a row. */
export interface SelectiveScanStepInputs {
  /** Changed in place. */
  state: Tensor; // [b, d, n]
  u: Tensor; // [b, d]
  delta: Tensor; // [b, d]
  A: Tensor; // [d, n]
  B: Tensor; // [b, n] or [b, g, n]
  C: Tensor; // as B
  D?: Tensor | undefined; // [d]
  z?: Tensor | undefined; // [b, d]
  deltaBias?: Tensor | undefined; // [d]
}

/**
 * One step of `selectiveScan`; the state is updated in place.
 *
 * Shapes: state [b, d, n]; u, delta, z, y [b, d]; A [d, n]; B, C [b, n] or [b, g, n]; D, deltaBias [d].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const selectiveScanStep: Op<SelectiveScanStepInputs, { deltaSoftplus?: boolean }, { y: Tensor }> = defineOp<
  SelectiveScanStepInputs,
  { deltaSoftplus?: boolean },
  { y: Tensor }
>({
  name: "selectiveScanStep",
  inputs: {
    u: "b d",
    delta: "b d",
    A: "d n",
    B: "b n | b g n",
    C: "b n | b g n",
    state: "b d n",
    D: "d?",
    z: "b d?",
    deltaBias: "d?",
  },
  attrs: { deltaSoftplus: false },
  outputs: ({ dims: { b, d } }) => ({ y: [b!, d!] }),
  check: (bound) => checkGroups("selectiveScanStep", bound),
  differentiable: [],
  inPlace: ["state"],
  reference: selectiveScanStepReference,
  cost: ({ dims: { b, d, n } }) => ({ flops: 6 * b! * d! * n!, bytes: 8 * b! * d! * n!, exps: b! * d! * n! }),
});
