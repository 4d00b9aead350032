import { ShapeError } from "../errors.ts";
import { ndzeros } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { add, equal, mul } from "./binary.ts";
import { where } from "./make.ts";
import { reshape, transpose } from "./movement.ts";
import { pad, sliceAxis } from "./slicing.ts";
import { concat } from "./joining.ts";
import { siluOf } from "./scalar.ts";
import { scan, type ScanOp, type StepOp } from "./scan.ts";
import { sequenceNumber } from "./sequenceNumber.ts";
import { silu as siluOp } from "./unary.ts";

const inputs = {
  x: "b l d",
  /** k taps a channel; the last weighs the current token. */
  weight: "d k",
  bias: "d?",
} as const;

const carried = {
  /** The last k-1 inputs, oldest first. */
  state: { shape: "b k-1 d", initial: "initialState", last: "lastState" },
} as const;

const attrs = {
  /** silu on the output. */
  silu: false,
};

const outputs = { y: "b l d" } as const;

const activate = (x: number, silu: boolean): number => (silu ? siluOf(x) : x);

const ops = scan({
  name: "causalConv1d",
  inputs,
  carried,
  attrs,
  outputs,
  cut: "b",
  check: (name, { dims: { k } }) => {
    if (k < 1) throw new ShapeError(`${name}: weight [d, k] must have a tap, got k = ${k}`);
  },
  // Inputs before t = 0 come from the initial state (oldest first), else they are zero.
  reference: ({ x, weight, bias, initialState, seqIdx }, { silu, returnLastState }) => {
    const [b, l, d] = x.shape as [number, number, number];
    const k = weight.shape[1]!;
    const at = (i: number, t: number, c: number): number => {
      if (t >= 0) return x.data[(i * l + t) * d + c]!;
      return initialState ? initialState.data[(i * (k - 1) + (k - 1 + t)) * d + c]! : 0;
    };
    // No boundary between s and t; what lies before t = 0 belongs to the row's first sequence.
    const together = (i: number, s: number, t: number): boolean => {
      for (let at = Math.max(s, 0) + 1; seqIdx && at <= t; at++)
        if (seqIdx.data[i * l + at] !== seqIdx.data[i * l + at - 1]) return false;
      return true;
    };
    const y = ndzeros([b, l, d]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        for (let c = 0; c < d; c++) {
          let dot = bias ? bias.data[c]! : 0;
          for (let j = 0; j < k; j++) {
            const s = t - (k - 1) + j;
            if (together(i, s, t)) dot += weight.data[c * k + j]! * at(i, s, c);
          }
          y.data[(i * l + t) * d + c] = activate(dot, silu);
        }
      }
    }
    if (!returnLastState) return { y };
    const lastState = ndzeros([b, k - 1, d]);
    for (let i = 0; i < b; i++) {
      for (let j = 0; j < k - 1; j++) {
        const t = l - (k - 1) + j;
        for (let c = 0; c < d; c++) lastState.data[(i * (k - 1) + j) * d + c] = together(i, t, l - 1) ? at(i, t, c) : 0;
      }
    }
    return { y, lastState };
  },
  compose: ({ x, weight, bias, initialState, seqIdx }, { silu, returnLastState }) => {
    const [b, l, d] = x.shape as [number, number, number];
    const before = weight.shape[1]! - 1;
    const window = concat([initialState ?? zeros([b, before, d], { backend: x.backend }), x], 1); // [b, k-1+l, d]
    // What lies before the first token belongs to the row's first sequence, which has the number 0.
    const sequence =
      seqIdx &&
      pad(sequenceNumber(seqIdx), [
        [0, 0],
        [before, 0],
      ]);
    /** Inputs from `from` on, times `tap` where there is one; those of another sequence than that of the tokens `of` zero. */
    const seen = (from: number, count: number, of: number, ofCount: number, tap?: typeof x): typeof x => {
      const inputs = sliceAxis(window, 1, from, count);
      const part = tap ? mul(inputs, tap) : inputs;
      if (!sequence) return part;
      const together = equal(sliceAxis(sequence, 1, from, count), sliceAxis(sequence, 1, of, ofCount));
      // Chosen, not multiplied by 0: another sequence, or the tap on it, may be no number.
      return where(reshape(together, [b, count, 1]), part, zeros([1], { backend: x.backend }));
    };
    const taps = transpose(weight);
    const terms = Array.from({ length: before + 1 }, (_, j) =>
      seen(j, l, before, l, reshape(sliceAxis(taps, 0, j, 1), [d])),
    );
    const dot = terms.reduce((sum, term) => add(sum, term));
    const y = bias ? add(dot, bias) : dot;
    return {
      y: silu ? siluOp(y) : y,
      ...(returnLastState ? { lastState: seen(l, before, before + l - 1, 1) } : {}),
    };
  },
  cost: ({ dims: { b, l, d, k } }) => ({ flops: 2 * b * l * d * k, bytes: 8 * b * l * d }),
  stepCost: ({ dims: { b, d, k } }) => ({ flops: 2 * b * d * k, bytes: 8 * b * d * k }),
});

/**
 * Depthwise causal convolution: y_t = silu(bias + sum_j weight_j x_{t-(k-1)+j}); the last tap weighs the current step.
 *
 * Shapes: x, y [b, l, d]; weight [d, k]; bias [d]; initialState, lastState [b, k-1, d], oldest first; seqIdx int32 [b, l].
 * Where seqIdx changes along l a new sequence starts, and the window does not reach over the boundary.
 * Errors: ShapeError, DTypeError.
 * Source: the `causal-conv1d` of Mamba (arXiv 2312.00752, section 3.4), in [b, l, d] layout; the weight's middle axis of 1 is dropped.
 */
export const causalConv1d: ScanOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.scan;

/**
 * One step of `causalConv1d`; the state is updated in place.
 *
 * Shapes: x, y [b, d]; state [b, k-1, d], oldest first; weight [d, k]; bias [d].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const causalConv1dStep: StepOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.step;
