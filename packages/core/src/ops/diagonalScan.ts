import { ndclone, ndzeros } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { complexPair, complexParts, type ComplexTensor } from "./complexPair.ts";
import { add, mul, sub } from "./binary.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { reshape, reverse as reversed, same } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import { stack } from "./joining.ts";

const inputs = {
  Bu: "b l n 2",
  /** Time-invariant, or one a token. */
  ABar: "n 2 | b l n 2",
  /** Stands before the first token that is run. */
  initialState: "b n 2?",
} as const;

const attrs = {
  /** From the last token to the first. */
  reverse: false,
  returnLastState: false,
};

const outputs = {
  states: "b l n 2",
  /** The state after the last token that was run (with `reverse`, that of t = 0). */
  lastState: "b n 2 if returnLastState",
} as const;

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
export const diagonalScan: Op<typeof inputs, typeof attrs, typeof outputs> = defineOp({
  name: "diagonalScan",
  inputs,
  attrs,
  outputs,
  differentiable: ["ABar", "Bu", "initialState"],
  saveOutputs: ["states"],
  reference: ({ ABar, Bu, initialState }, { reverse, returnLastState }) => {
    const [b, l, n] = Bu.shape as [number, number, number];
    const varying = ABar.shape.length === 4;
    const states = ndzeros([b, l, n, 2]);
    const state = initialState ? ndclone(initialState) : ndzeros([b, n, 2]);
    for (let i = 0; i < b; i++) {
      for (let step = 0; step < l; step++) {
        const t = reverse ? l - 1 - step : step;
        for (let k = 0; k < n; k++) {
          const at = 2 * ((i * l + t) * n + k);
          const own = 2 * (i * n + k);
          const a = varying ? at : 2 * k;
          const [re, im] = [state.data[own]!, state.data[own + 1]!];
          state.data[own] = ABar.data[a]! * re - ABar.data[a + 1]! * im + Bu.data[at]!;
          state.data[own + 1] = ABar.data[a]! * im + ABar.data[a + 1]! * re + Bu.data[at + 1]!;
          states.data[at] = state.data[own]!;
          states.data[at + 1] = state.data[own + 1]!;
        }
      }
    }
    return returnLastState ? { states, lastState: state } : { states };
  },
  compose: ({ ABar, Bu, initialState }, { reverse, returnLastState }) => {
    const [b, l, n] = Bu.shape as [number, number, number];
    const inOrder = (x: typeof Bu): typeof Bu => (reverse ? reversed(x, 1) : x);
    const token = (x: typeof Bu, t: number): ComplexTensor => complexParts(reshape(sliceAxis(x, 1, t, 1), [b, n, 2]));
    const own = inOrder(Bu);
    const decays = ABar.shape.length === 4 ? inOrder(ABar) : undefined;
    const fixed = complexParts(reshape(sliceAxis(reshape(ABar, [-1, n, 2]), 0, 0, 1), [1, n, 2]));
    let state = complexParts(initialState ?? zeros([b, n, 2], { backend: Bu.backend }));
    const states = Array.from({ length: l }, (_, t) => {
      const input = token(own, t);
      const a = decays ? token(decays, t) : fixed;
      state = {
        re: add(sub(mul(a.re, state.re), mul(a.im, state.im)), input.re),
        im: add(add(mul(a.re, state.im), mul(a.im, state.re)), input.im),
      };
      return complexPair(state);
    });
    return { states: inOrder(stack(states, 1)), ...(returnLastState ? { lastState: states.at(-1)! } : {}) };
  },
  // No token: the state goes through.
  empty: ({ Bu, initialState }, { returnLastState }, { states, lastState }) => ({
    states: zeros(states!, { backend: Bu.backend }),
    ...(returnLastState
      ? { lastState: initialState ? same(initialState) : zeros(lastState!, { backend: Bu.backend }) }
      : {}),
  }),
  cost: ({ dims: { b, l, n } }) => ({ flops: 8 * b * l * n, bytes: 4 * (4 * b * l * n + 2 * n) }),
});
