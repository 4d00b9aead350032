import { ShapeError } from "../errors.ts";
import { ndclone, ndzeros, type NdArray } from "../math/ndarray.ts";
import { add, mul } from "./binary.ts";
import { reshape } from "./movement.ts";
import { linearRecurrence, ungrouped } from "./recurrence.ts";
import { scan, type ScanOp, type StepOp } from "./scan.ts";
import { siluOf, softplusOf } from "./scalar.ts";
import { sum } from "./sum.ts";
import { exp, silu, softplus } from "./unary.ts";

const inputs = {
  u: "b l d",
  /** The step size. */
  delta: "b l d",
  /** Negative. */
  A: "d n",
  B: "b l n | b l g n",
  C: "b l n | b l g n",
  D: "d?",
  /** The gate. */
  z: "b l d?",
  deltaBias: "d?",
} as const;

const carried = {
  /** n numbers a channel. */
  state: { shape: "b d n", initial: "initialState", last: "lastState" },
} as const;

const attrs = {
  /** delta := softplus(delta + deltaBias). */
  deltaSoftplus: false,
};

const outputs = { y: "b l d" } as const;

const ops = scan({
  name: "selectiveScan",
  inputs,
  carried,
  attrs,
  outputs,
  cut: "b",
  // Three gradients share a buffer; the states that are kept take as much at most where n <= 24.
  cutGradient: ({ dims: { l, d, n } }) => l * d * Math.max(3, n / 8),
  check: (name, { dims: { d, g } }) => {
    if (g !== undefined && (g === 0 || d % g !== 0))
      throw new ShapeError(`${name}: groups g = ${g} must divide d = ${d}`);
  },
  // Token by token, as Algorithm 2 has it.
  reference: (inputs, { deltaSoftplus, returnLastState }) => {
    const { u, delta, A, B, C, D, z, deltaBias, initialState, seqIdx } = inputs;
    const [b, l, d] = u.shape as [number, number, number];
    const n = A.shape[1]!;
    const y = ndzeros([b, l, d]);
    const state = initialState ? ndclone(initialState) : ndzeros([b, d, n]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        if (t > 0 && seqIdx && seqIdx.data[i * l + t] !== seqIdx.data[i * l + t - 1])
          state.data.fill(0, i * d * n, (i + 1) * d * n);
        for (let c = 0; c < d; c++) {
          const at = (i * l + t) * d + c;
          const raw = delta.data[at]! + (deltaBias?.data[c] ?? 0);
          const step = deltaSoftplus ? softplusOf(raw) : raw;
          const h = state.data.subarray((i * d + c) * n, (i * d + c + 1) * n);
          let out = D ? D.data[c]! * u.data[at]! : 0;
          for (let s = 0; s < n; s++) {
            const ABar = Math.exp(step * A.data[c * n + s]!);
            const BBar = step * pick(B, i * l + t, c, s, d);
            h[s] = ABar * h[s]! + BBar * u.data[at]!;
            out += pick(C, i * l + t, c, s, d) * h[s]!;
          }
          y.data[at] = z ? out * siluOf(z.data[at]!) : out;
        }
      }
    }
    return returnLastState ? { y, lastState: state } : { y };
  },
  compose: ({ u, delta, A, B, C, D, z, deltaBias, initialState, seqIdx }, { deltaSoftplus, returnLastState }) => {
    const [b, l, d] = u.shape as [number, number, number];
    const perChannel = (x: typeof B): typeof B =>
      x.shape.length === 4 ? ungrouped(x, d) : reshape(x, [b, l, 1, x.shape[2]!]);
    const wide = (x: typeof u): typeof u => reshape(x, [b, l, d, 1]);
    const raw = deltaBias ? add(delta, deltaBias) : delta;
    const step = deltaSoftplus ? softplus(raw) : raw;
    const ABar = exp(mul(wide(step), A)); // [b, l, d, n]
    const { states, last } = linearRecurrence(ABar, mul(wide(mul(step, u)), perChannel(B)), initialState, seqIdx);
    const read = sum(mul(states, perChannel(C)), -1);
    const y = D ? add(read, mul(u, D)) : read;
    return { y: z ? mul(y, silu(z)) : y, ...(returnLastState ? { lastState: last } : {}) };
  },
  cost: ({ dims: { b, l, d, n } }) => ({
    flops: 6 * b * l * d * n,
    bytes: 4 * (4 * b * l * d + 2 * b * l * n + d * n),
    exps: b * l * d * n,
  }),
  stepCost: ({ dims: { b, d, n } }) => ({ flops: 6 * b * d * n, bytes: 8 * b * d * n, exps: b * d * n }),
});

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
export const selectiveScan: ScanOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.scan;

/**
 * One step of `selectiveScan`; the state is updated in place.
 *
 * Shapes: state [b, d, n]; u, delta, z, y [b, d]; A [d, n]; B, C [b, n] or [b, g, n]; D, deltaBias [d].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const selectiveScanStep: StepOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.step;

/** B or C of a channel at a token: [b, l, n], or [b, l, g, n] where d / g channels share a group. */
function pick(x: NdArray, token: number, channel: number, s: number, d: number): number {
  const n = x.shape.at(-1)!;
  const groups = x.shape.length === 4 ? x.shape[2]! : 1;
  const group = Math.floor(channel / (d / groups));
  return x.data[(token * groups + group) * n + s]!;
}
