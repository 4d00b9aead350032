import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { diagonalScanReference } from "./reference.ts";

/** Arguments of `diagonalScan`; complex, the last axis is (re, im). */
export interface DiagonalScanInputs {
  ABar: Tensor; // [n, 2] or [b, l, n, 2]
  Bu: Tensor; // [b, l, n, 2]
  initialState?: Tensor | undefined; // [b, n, 2]
}

/** Settings of `diagonalScan`; both are off unless given. */
export interface DiagonalScanAttrs {
  /** From the last token to the first. */
  reverse?: boolean;
  returnLastState?: boolean;
}

/** Results of `diagonalScan`. */
export interface DiagonalScanOutputs {
  states: Tensor; // [b, l, n, 2]
  /** With `returnLastState`: the state after the last token that was run (with `reverse`, that of t = 0). */
  lastState?: Tensor; // [b, n, 2]
}

/**
 * The recurrence of a diagonal complex state space model, every state kept:
 *
 *     states_t = ABar_t states_{t-1} + Bu_t          (reverse: states_t = ABar_t states_{t+1} + Bu_t)
 *
 * Shapes: ABar [n, 2] (time-invariant) or [b, l, n, 2]; Bu, states [b, l, n, 2]; initialState, lastState [b, n, 2]; the last axis
 * is (re, im). The initial state stands before the first token that is run. Gradients of complex inputs hold d/dRe + i d/dIm.
 * Errors: ShapeError, DTypeError.
 * Source: S5 (arXiv 2208.04933), section 2.2, whose parallel scan composes pairs (a, b) by (a2 a1, a2 b1 + b2); backends cut l into chunks.
 */
export const diagonalScan: Op<DiagonalScanInputs, DiagonalScanAttrs, DiagonalScanOutputs> = defineOp<
  DiagonalScanInputs,
  DiagonalScanAttrs,
  DiagonalScanOutputs
>({
  name: "diagonalScan",
  inputs: { Bu: "b l n 2", ABar: "n 2 | b l n 2", initialState: "b n 2?" },
  attrs: { reverse: false, returnLastState: false },
  outputs: ({ dims: { b, l, n } }, { returnLastState }) => ({
    states: [b!, l!, n!, 2],
    ...(returnLastState ? { lastState: [b!, n!, 2] } : {}),
  }),
  differentiable: ["ABar", "Bu", "initialState"],
  saveOutputs: ["states"],
  reference: diagonalScanReference,
  cost: ({ dims: { b, l, n } }) => ({ flops: 8 * b! * l! * n!, bytes: 4 * (4 * b! * l! * n! + 2 * n!) }),
});
