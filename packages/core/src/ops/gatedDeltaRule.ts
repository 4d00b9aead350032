import { ArgumentError } from "../errors.ts";
import { ndclone, ndzeros } from "../math/ndarray.ts";
import { add, div, mul, sub } from "./binary.ts";
import { stack } from "./joining.ts";
import { reshape } from "./movement.ts";
import { carriedOver, tokensOf } from "./recurrence.ts";
import { scan, type ScanOp, type StepOp } from "./scan.ts";
import { sum } from "./sum.ts";
import { exp, sqrt } from "./unary.ts";
import type { Tensor } from "../tensor/tensor.ts";

const inputs = {
  q: "b l h n",
  k: "b l h n",
  v: "b l h p",
  /** Log of the decay, of a head or of each row of its state. */
  g: "b l h | b l h n",
  /** How far the state is corrected: 1 writes v at k, 2 mirrors (eigenvalues of -1). */
  beta: "b l h",
} as const;

const carried = {
  /** A matrix a head: what it has learnt to answer v at k. */
  state: { shape: "b h n p", initial: "initialState", last: "lastState" },
} as const;

const attrs = {
  /** Factor of q; 0 stands for 1 / sqrt(n). */
  scale: 0,
  /** q and k are divided by sqrt(sum of squares + l2eps). */
  l2norm: false,
  l2eps: 1e-6,
};

const outputs = { y: "b l h p" } as const;

const ops = scan({
  name: "gatedDeltaRule",
  inputs,
  carried,
  attrs,
  outputs,
  cut: "b",
  check: (name, _, { l2eps }) => {
    if (!(l2eps >= 0)) throw new ArgumentError(`${name}: l2eps must be at least 0, got ${l2eps}`);
  },
  // Token by token, head by head, a column of the state after the other: no column sees another one.
  reference: (inputs, attrs) => {
    const { q, k, v, g, beta, initialState, seqIdx } = inputs;
    const [b, l, h, p] = v.shape as [number, number, number, number];
    const n = q.shape[3]!;
    const scale = scaleOf(attrs.scale, n);
    const y = ndzeros([b, l, h, p]);
    const state = initialState ? ndclone(initialState) : ndzeros([b, h, n, p]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        const token = i * l + t;
        if (t > 0 && seqIdx && seqIdx.data[token] !== seqIdx.data[token - 1])
          state.data.fill(0, i * h * n * p, (i + 1) * h * n * p);
        for (let head = 0; head < h; head++) {
          const at = token * h + head;
          const query = lengthOne(q.data.subarray(at * n, (at + 1) * n), attrs);
          const key = lengthOne(k.data.subarray(at * n, (at + 1) * n), attrs);
          const decay = (s: number): number => Math.exp(g.data[g.shape.length === 4 ? at * n + s : at]!);
          const s0 = (i * h + head) * n * p;
          for (let c = 0; c < p; c++) {
            let answer = 0; // to this token's key
            for (let s = 0; s < n; s++) {
              state.data[s0 + s * p + c]! *= decay(s);
              answer += state.data[s0 + s * p + c]! * key[s]!;
            }
            const error = beta.data[at]! * (v.data[at * p + c]! - answer);
            for (let s = 0; s < n; s++) {
              state.data[s0 + s * p + c]! += key[s]! * error;
              y.data[at * p + c]! += state.data[s0 + s * p + c]! * scale * query[s]!;
            }
          }
        }
      }
    }
    return attrs.returnLastState ? { y, lastState: state } : { y };
  },
  compose: ({ q, k, v, g, beta, initialState, seqIdx }, { scale, l2norm, l2eps, returnLastState }) => {
    const [b, l, h, p] = v.shape as [number, number, number, number];
    const n = q.shape[3]!;
    const unit = (x: Tensor): Tensor => (l2norm ? div(x, sqrt(add(sum(mul(x, x), -1, true), l2eps))) : x);
    const rows = (x: Tensor): Tensor[] => tokensOf(reshape(x, [b, l, h, x.shape.length === 4 ? x.shape[3]! : 1, 1]));
    const carry = carriedOver(seqIdx);
    const [queries, keys, decays] = [rows(mul(unit(q), scaleOf(scale, n))), rows(unit(k)), rows(exp(g))];
    const [values, rates] = [tokensOf(reshape(v, [b, l, h, 1, p])), rows(beta)];
    let state = initialState;
    const ys = values.map((value, t) => {
      const decayed = state && mul(carry(state, t), decays[t]!); // [b, h, n, p]
      const error = mul(decayed ? sub(value, sum(mul(decayed, keys[t]!), 2, true)) : value, rates[t]!); // [b, h, 1, p]
      const written = mul(keys[t]!, error);
      state = decayed ? add(decayed, written) : written;
      return sum(mul(state, queries[t]!), 2);
    });
    return { y: stack(ys, 1), ...(returnLastState ? { lastState: state! } : {}) };
  },
  cost: ({ dims: { b, l, h, n, p } }) => ({
    flops: 7 * b * l * h * n * p,
    bytes: 4 * b * l * h * (2 * n + 2 * p + 2),
    exps: b * l * h,
  }),
  stepCost: ({ dims: { b, h, n, p } }) => ({ flops: 7 * b * h * n * p, bytes: 8 * b * h * n * p, exps: b * h }),
});

const scaleOf = (scale: number, n: number): number => (scale === 0 ? 1 / Math.sqrt(n) : scale);

function lengthOne(x: Float64Array, { l2norm, l2eps }: typeof attrs): Float64Array {
  if (!l2norm) return x;
  const length = Math.sqrt(x.reduce((total, value) => total + value * value, l2eps));
  return x.map((value) => value / length);
}

/**
 * The gated delta rule: a memory that forgets (g) and, at each token, corrects what it answers at k towards v (beta).
 *
 *     q_t, k_t := x / sqrt(sum x^2 + l2eps)                               (if l2norm)
 *     state'  = exp(g_t) state_{t-1}                                      // [n, p]; g a head, or a row of the state
 *     e_t     = beta_t (v_t - state'^T k_t)                               // [p], the error
 *     state_t = state' + k_t e_t^T;   y_t = state_t^T (scale q_t)
 *
 * Shapes: q, k [b, l, h, n]; v, y [b, l, h, p]; g [b, l, h] or [b, l, h, n], natural logarithms, at most 0 for a decay; beta [b, l, h],
 * in [0, 1], to 2 for eigenvalues down to -1; initialState, lastState [b, h, n, p]; seqIdx int32 [b, l]: where it changes along l the
 * state restarts from zero (packed sequences); the initial state belongs to the row's first sequence, and lastState is that of its last.
 * Errors: ShapeError, DTypeError; ArgumentError for a negative l2eps.
 * Source: Yang, Kautz and Hatamizadeh 2024 (arXiv 2412.06464); a decay a row is Kimi Delta Attention's (arXiv 2510.26692). The state is
 * the paper's transposed.
 */
export const gatedDeltaRule: ScanOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.scan;

/**
 * One step of `gatedDeltaRule`; the state is updated in place.
 *
 * Shapes: state [b, h, n, p]; q, k [b, h, n]; v, y [b, h, p]; g [b, h] or [b, h, n]; beta [b, h].
 * Errors: ShapeError, DTypeError, ArgumentError; BackendError while gradients are recorded.
 */
export const gatedDeltaRuleStep: StepOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.step;
