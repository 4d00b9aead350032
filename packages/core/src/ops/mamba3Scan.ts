import { ArgumentError } from "../errors.ts";
import { ndclone, ndzeros, type NdArray } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, mul, sub } from "./binary.ts";
import { matMul } from "./matMul.ts";
import { reshape } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import { concat, stack } from "./joining.ts";
import { carriedOver, linearRecurrence, tokensOf } from "./recurrence.ts";
import { sigmoidOf, siluOf } from "./scalar.ts";
import { scan, type ScanOp, type StepOp } from "./scan.ts";
import { exp, sigmoid, silu } from "./unary.ts";

const inputs = {
  /** C after its bias and rotation. */
  q: "b l h r n",
  /** B after its bias and rotation. */
  k: "b l h r n",
  v: "b l h r p",
  /** A dt, at most 0. */
  adt: "b l h",
  dt: "b l h",
  /** Before the sigmoid. */
  trap: "b l h",
  D: "h?",
  /** The gate. */
  z: "b l h r p?",
} as const;

const carried = {
  state: { shape: "b h p n", initial: "initialState", last: "lastState" },
  /** k of the token before. */
  lastK: { shape: "b h r n", initial: "initialK", next: "k" },
  /** v of the token before. */
  lastV: { shape: "b h r p", initial: "initialV", next: "v" },
} as const;

const attrs = {};

const scanAttrs = {
  /** Tokens a chunk of the matrix form: a matter of speed and memory, not of the result. */
  chunkSize: 64,
};

const outputs = { y: "b l h r p" } as const;

const ops = scan({
  name: "mamba3Scan",
  inputs,
  carried,
  attrs,
  scanAttrs,
  outputs,
  check: (name, _, { chunkSize = 1 }) => {
    if (!Number.isInteger(chunkSize) || chunkSize < 1)
      throw new ArgumentError(`${name}: chunkSize must be a whole number >= 1, got ${chunkSize}`);
  },
  // Token by token and head by head.
  reference: (inputs, { returnLastState }) => {
    const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, seqIdx } = inputs;
    const [b, l, h, r, n] = q.shape as [number, number, number, number, number];
    const p = v.shape[4]!;
    const y = ndzeros([b, l, h, r, p]);
    const state = initialState ? ndclone(initialState) : ndzeros([b, h, p, n]);
    /** What rank j of a head wrote and with what key: of token t of the row, or of the one before the first. */
    const written = (
      row: NdArray,
      before: NdArray | undefined,
      i: number,
      t: number,
      head: number,
      j: number,
      width: number,
    ): Float64Array => {
      if (t >= 0)
        return row.data.subarray(
          (((i * l + t) * h + head) * r + j) * width,
          (((i * l + t) * h + head) * r + j + 1) * width,
        );
      return before
        ? before.data.subarray(((i * h + head) * r + j) * width, ((i * h + head) * r + j + 1) * width)
        : new Float64Array(width);
    };
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        const starts = t > 0 && seqIdx !== undefined && seqIdx.data[i * l + t] !== seqIdx.data[i * l + t - 1];
        for (let head = 0; head < h; head++) {
          const at = (i * l + t) * h + head;
          const lambda = sigmoidOf(trap.data[at]!);
          const alpha = Math.exp(adt.data[at]!);
          const beta = (1 - lambda) * dt.data[at]! * alpha;
          const gamma = lambda * dt.data[at]!;
          const own = state.data.subarray((i * h + head) * p * n, (i * h + head + 1) * p * n);
          own.forEach((value, e) => (own[e] = starts ? 0 : alpha * value));
          for (let j = 0; j < r; j++) {
            for (const [weight, token] of [...(starts ? [] : [[beta, t - 1] as const]), [gamma, t] as const]) {
              const key = written(k, initialK, i, token, head, j, n);
              const value = written(v, initialV, i, token, head, j, p);
              for (let c = 0; c < p; c++) for (let s = 0; s < n; s++) own[c * n + s]! += weight * value[c]! * key[s]!;
            }
          }
          for (let j = 0; j < r; j++) {
            for (let c = 0; c < p; c++) {
              const e = (at * r + j) * p + c;
              let out = D ? D.data[head]! * v.data[e]! : 0;
              for (let s = 0; s < n; s++) out += own[c * n + s]! * q.data[(at * r + j) * n + s]!;
              y.data[e] = z ? out * siluOf(z.data[e]!) : out;
            }
          }
        }
      }
    }
    return returnLastState ? { y, lastState: state } : { y };
  },
  compose: ({ q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, seqIdx }, { returnLastState }) => {
    const [b, l, h, r, n] = q.shape as [number, number, number, number, number];
    const p = v.shape[4]!;
    const wide = (x: Tensor): Tensor => reshape(x, [b, l, h, 1, 1]);
    const alpha = exp(adt);
    const lambda = sigmoid(trap);
    const [beta, gamma] = [mul(mul(sub(1, lambda), dt), alpha), mul(lambda, dt)];
    const written = outer(v, k); // [b, l, h, p, n]
    const before = initialK && initialV ? outer(initialV, initialK) : zeros([b, h, p, n], { backend: q.backend });
    const carry = carriedOver(seqIdx);
    const shifted = tokensOf(concat([reshape(before, [b, 1, h, p, n]), sliceAxis(written, 1, 0, l - 1)], 1));
    const earlier = stack(shifted.map(carry), 1);
    const input = add(mul(wide(beta), earlier), mul(wide(gamma), written));
    const { states, last } = linearRecurrence(wide(alpha), input, initialState, seqIdx);
    const rows = b * l * h;
    const read = matMul(reshape(q, [rows, r, n]), reshape(states, [rows, p, n]), false, true);
    const skipped = D ? add(reshape(read, v.shape), mul(v, reshape(D, [h, 1, 1]))) : reshape(read, v.shape);
    return { y: z ? mul(skipped, silu(z)) : skipped, ...(returnLastState ? { lastState: last } : {}) };
  },
  cost: ({ dims: { b, l, h, r, p, n } }) => ({
    flops: (1 + 6 * r) * b * l * h * p * n,
    bytes: 4 * b * l * h * (r * (2 * n + 3 * p) + 3),
    exps: 2 * b * l * h,
  }),
  stepCost: ({ dims: { b, h, r, p, n } }) => ({
    flops: (1 + 6 * r) * b * h * p * n,
    bytes: 8 * b * h * p * n,
    exps: 2 * b * h,
  }),
});

/** What r inputs of a head write together: sum_j v_j k_j^T, [..., r, p] and [..., r, n] to [..., p, n]. */
function outer(v: Tensor, k: Tensor): Tensor {
  const [lead, r] = [v.shape.slice(0, -2), v.shape.at(-2)!];
  const rows = lead.reduce((a, extent) => a * extent, 1);
  const [p, n] = [v.shape.at(-1)!, k.shape.at(-1)!];
  return reshape(matMul(reshape(v, [rows, r, p]), reshape(k, [rows, r, n]), true, false), [...lead, p, n]);
}

/**
 * The scan of Mamba-3, fused: the trapezoidal rule on a state shared by r inputs and outputs a head (r = 1: SISO).
 * q and k are C and B after their biases and rotation; the rotation needs nothing of the state, so it stays outside.
 *
 *     alpha_t = exp(adt_t);  lambda_t = sigmoid(trap_t);  beta_t = (1 - lambda_t) dt_t alpha_t;  gamma_t = lambda_t dt_t
 *     state_t = alpha_t state_{t-1} + sum_j beta_t v_{t-1,j} k_{t-1,j}^T + gamma_t v_{t,j} k_{t,j}^T     // [p, n], j < r
 *     y_{t,j} = state_t q_{t,j} + D v_{t,j};   y := y silu(z)                                            (if z)
 *
 * The same in chunks of `chunkSize` tokens, as matrix products: with next_t = (1 - lambda_{t+1}) dt_{t+1} (0 at the last token
 * and before a new sequence) and w_t = gamma_t + next_t, acc_t = alpha_t acc_{t-1} + w_t sum_j v_{t,j} k_{t,j}^T is the scan of
 * `ssdScan` with other weights, started from initialState + (1 - lambda_0) dt_0 sum_j initialV_j initialK_j^T;
 * then y_{t,i} = acc_t q_{t,i} - next_t sum_j (q_{t,i} . k_{t,j}) v_{t,j}, and the same correction gives lastState.
 *
 * Shapes: q, k [b, l, h, r, n]; v, z, y [b, l, h, r, p]; adt (A dt, at most 0), dt, trap [b, l, h]; D [h];
 * initialState, lastState [b, h, p, n]; initialK [b, h, r, n], initialV [b, h, r, p]: k and v of the token before the first;
 * seqIdx int32 [b, l]: where it changes along l everything carried restarts from zero (packed sequences).
 * Errors: ShapeError, DTypeError; ArgumentError for a chunk size below 1.
 * Source: Mamba-3 (arXiv 2603.15569), the exponential-trapezoidal rule, and the MIMO form of its state update.
 */
export const mamba3Scan: ScanOp<typeof inputs, typeof carried, typeof attrs, typeof outputs, typeof scanAttrs> =
  ops.scan;

/**
 * One step of `mamba3Scan`; state, lastK and lastV are updated in place.
 *
 * Shapes: state [b, h, p, n]; q, k, lastK [b, h, r, n]; v, z, lastV, y [b, h, r, p]; adt, dt, trap [b, h]; D [h].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const mamba3ScanStep: StepOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.step;
