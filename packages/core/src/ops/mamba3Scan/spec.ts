import { ArgumentError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { mamba3ScanReference, mamba3ScanStepReference } from "./reference.ts";

/** Arguments of `mamba3Scan`: h heads, each with r inputs and outputs of p channels and a state [p, n]. */
export interface Mamba3ScanInputs {
  q: Tensor; // [b, l, h, r, n]
  k: Tensor; // [b, l, h, r, n]
  v: Tensor; // [b, l, h, r, p]
  adt: Tensor; // [b, l, h], A dt
  dt: Tensor; // [b, l, h]
  trap: Tensor; // [b, l, h], before the sigmoid
  D?: Tensor | undefined; // [h]
  z?: Tensor | undefined; // [b, l, h, r, p]
  initialState?: Tensor | undefined; // [b, h, p, n]
  initialK?: Tensor | undefined; // [b, h, r, n]
  initialV?: Tensor | undefined; // [b, h, r, p]
  seqIdx?: Tensor | undefined; // int32 [b, l]
}

/** Settings of `mamba3Scan`. */
export interface Mamba3ScanAttrs {
  /** Tokens a chunk of the matrix form: a matter of speed and memory, not of the result. */
  chunkSize?: number;
  returnLastState?: boolean;
}

/** Results of `mamba3Scan`. */
export interface Mamba3ScanOutputs {
  y: Tensor; // [b, l, h, r, p]
  /** With `returnLastState`: the state after the last token. */
  lastState?: Tensor; // [b, h, p, n]
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
export const mamba3Scan: Op<Mamba3ScanInputs, Mamba3ScanAttrs, Mamba3ScanOutputs> = defineOp<
  Mamba3ScanInputs,
  Mamba3ScanAttrs,
  Mamba3ScanOutputs
>({
  name: "mamba3Scan",
  inputs: {
    q: "b l h r n",
    k: "b l h r n",
    v: "b l h r p",
    adt: "b l h",
    dt: "b l h",
    trap: "b l h",
    D: "h?",
    z: "b l h r p?",
    initialState: "b h p n?",
    initialK: "b h r n?",
    initialV: "b h r p?",
    seqIdx: "int32 b l?",
  },
  attrs: { chunkSize: 64, returnLastState: false },
  outputs: ({ dims: { b, l, h, r, p, n } }, { returnLastState }) => ({
    y: [b!, l!, h!, r!, p!],
    ...(returnLastState ? { lastState: [b!, h!, p!, n!] } : {}),
  }),
  check: (_, { chunkSize }) => {
    if (!Number.isInteger(chunkSize) || chunkSize < 1)
      throw new ArgumentError(`mamba3Scan: chunkSize must be a whole number >= 1, got ${chunkSize}`);
  },
  differentiable: ["q", "k", "v", "adt", "dt", "trap", "D", "z", "initialState", "initialK", "initialV"],
  reference: mamba3ScanReference,
  cost: ({ dims: { b, l, h, r, p, n } }) => ({
    flops: (1 + 6 * r!) * b! * l! * h! * p! * n!,
    bytes: 4 * b! * l! * h! * (r! * (2 * n! + 3 * p!) + 3),
    exps: 2 * b! * l! * h!,
  }),
});

/** Arguments of `mamba3ScanStep`: one token a row. */
export interface Mamba3ScanStepInputs {
  /** Changed in place, as are lastK and lastV: k and v of the token before. */
  state: Tensor; // [b, h, p, n]
  lastK: Tensor; // [b, h, r, n]
  lastV: Tensor; // [b, h, r, p]
  q: Tensor; // [b, h, r, n]
  k: Tensor; // [b, h, r, n]
  v: Tensor; // [b, h, r, p]
  adt: Tensor; // [b, h]
  dt: Tensor; // [b, h]
  trap: Tensor; // [b, h]
  D?: Tensor | undefined; // [h]
  z?: Tensor | undefined; // [b, h, r, p]
}

/**
 * One step of `mamba3Scan`; state, lastK and lastV are updated in place.
 *
 * Shapes: state [b, h, p, n]; q, k, lastK [b, h, r, n]; v, z, lastV, y [b, h, r, p]; adt, dt, trap [b, h]; D [h].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const mamba3ScanStep: Op<Mamba3ScanStepInputs, Record<never, never>, { y: Tensor }> = defineOp<
  Mamba3ScanStepInputs,
  Record<never, never>,
  { y: Tensor }
>({
  name: "mamba3ScanStep",
  inputs: {
    q: "b h r n",
    k: "b h r n",
    v: "b h r p",
    adt: "b h",
    dt: "b h",
    trap: "b h",
    state: "b h p n",
    lastK: "b h r n",
    lastV: "b h r p",
    D: "h?",
    z: "b h r p?",
  },
  attrs: {},
  outputs: ({ dims: { b, h, r, p } }) => ({ y: [b!, h!, r!, p!] }),
  differentiable: [],
  inPlace: ["state", "lastK", "lastV"],
  reference: mamba3ScanStepReference,
  cost: ({ dims: { b, h, r, p, n } }) => ({
    flops: (1 + 6 * r!) * b! * h! * p! * n!,
    bytes: 8 * b! * h! * p! * n!,
    exps: 2 * b! * h!,
  }),
});
