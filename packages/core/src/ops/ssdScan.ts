import { ArgumentError, ShapeError } from "../errors.ts";
import { ndclone, ndzeros } from "../math/ndarray.ts";
import { add, mul } from "./binary.ts";
import { reshape } from "./movement.ts";
import { linearRecurrence, ungrouped } from "./recurrence.ts";
import { siluOf, softplusOf } from "./scalar.ts";
import { scan, type ScanOp, type StepOp } from "./scan.ts";
import { sum } from "./sum.ts";
import { clip, exp, silu, softplus } from "./unary.ts";

const inputs = {
  x: "b l h p",
  /** Step sizes. */
  dt: "b l h",
  /** Negative. */
  A: "h",
  /** g groups share it. */
  B: "b l g n",
  C: "b l g n",
  D: "h | h p?",
  /** The gate. */
  z: "b l h p?",
  dtBias: "h?",
} as const;

const carried = {
  /** A matrix a head. */
  state: { shape: "b h p n", initial: "initialState", last: "lastState" },
} as const;

const attrs = {
  /** dt := softplus(dt + dtBias). */
  dtSoftplus: false,
  /** Bounds on dt after softplus; no gradient reaches dt outside them, all of it at the bounds. */
  dtMin: 0,
  dtMax: Infinity as number,
};

const scanAttrs = {
  /** Tokens a chunk of the matrix form: a matter of speed and memory, not of the result. */
  chunkSize: 128,
};

const outputs = { y: "b l h p" } as const;

const ops = scan({
  name: "ssdScan",
  inputs,
  carried,
  attrs,
  scanAttrs,
  outputs,
  check: (name, { dims: { h, g } }, { dtMin, dtMax, chunkSize = 1 }) => {
    if (g === 0 || h % g !== 0) throw new ShapeError(`${name}: groups g = ${g} must divide the heads h = ${h}`);
    if (!(dtMin <= dtMax)) throw new ArgumentError(`${name}: dtMin must be at most dtMax, got ${dtMin} and ${dtMax}`);
    if (!Number.isInteger(chunkSize) || chunkSize < 1)
      throw new ArgumentError(`${name}: chunkSize must be a whole number >= 1, got ${chunkSize}`);
  },
  // Token by token and head by head.
  reference: (inputs, attrs) => {
    const { x, dt, A, B, C, D, z, dtBias, initialState, seqIdx } = inputs;
    const [b, l, h, p] = x.shape as [number, number, number, number];
    const [g, n] = B.shape.slice(2) as [number, number];
    const y = ndzeros([b, l, h, p]);
    const state = initialState ? ndclone(initialState) : ndzeros([b, h, p, n]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        const token = i * l + t;
        if (t > 0 && seqIdx && seqIdx.data[token] !== seqIdx.data[token - 1])
          state.data.fill(0, i * h * p * n, (i + 1) * h * p * n);
        for (let head = 0; head < h; head++) {
          const delta = ssdDelta(dt.data[token * h + head]! + (dtBias?.data[head] ?? 0), attrs);
          const decay = Math.exp(delta * A.data[head]!);
          const bc = (token * g + Math.floor((head * g) / h)) * n;
          for (let c = 0; c < p; c++) {
            const at = (token * h + head) * p + c;
            const u = x.data[at]!;
            const row = ((i * h + head) * p + c) * n;
            let out = D ? D.data[D.shape.length === 2 ? head * p + c : head]! * u : 0;
            for (let s = 0; s < n; s++) {
              state.data[row + s] = decay * state.data[row + s]! + delta * B.data[bc + s]! * u;
              out += C.data[bc + s]! * state.data[row + s]!;
            }
            y.data[at] = z ? out * siluOf(z.data[at]!) : out;
          }
        }
      }
    }
    return attrs.returnLastState ? { y, lastState: state } : { y };
  },
  compose: ({ x, dt, A, B, C, D, z, dtBias, initialState, seqIdx }, { dtSoftplus, dtMin, dtMax, returnLastState }) => {
    const [b, l, h, p] = x.shape as [number, number, number, number];
    const n = B.shape[3]!;
    const perHead = (shared: typeof B): typeof B => reshape(ungrouped(shared, h), [b, l, h, 1, n]);
    const raw = dtBias ? add(dt, dtBias) : dt;
    const delta = clip(dtSoftplus ? softplus(raw) : raw, dtMin, dtMax); // [b, l, h]
    const ABar = exp(mul(delta, A));
    const written = mul(reshape(mul(x, reshape(delta, [b, l, h, 1])), [b, l, h, p, 1]), perHead(B));
    const { states, last } = linearRecurrence(reshape(ABar, [b, l, h, 1, 1]), written, initialState, seqIdx);
    const read = sum(mul(states, perHead(C)), -1);
    const y = D ? add(read, mul(x, D.shape.length === 2 ? D : reshape(D, [h, 1]))) : read;
    return { y: z ? mul(y, silu(z)) : y, ...(returnLastState ? { lastState: last } : {}) };
  },
  cost: ({ dims: { b, l, h, p, g, n } }) => ({
    flops: 5 * b * l * h * p * n,
    bytes: 4 * (3 * b * l * h * p + 2 * b * l * g * n + b * l * h),
    exps: b * l * h,
  }),
  stepCost: ({ dims: { b, h, p, n } }) => ({ flops: 5 * b * h * p * n, bytes: 8 * b * h * p * n, exps: b * h }),
});

/** The step of a head at a token: softplus, then the clamp. */
function ssdDelta(raw: number, { dtSoftplus, dtMin, dtMax }: typeof attrs): number {
  const delta = dtSoftplus ? softplusOf(raw) : raw;
  return Math.min(dtMax, Math.max(dtMin, delta));
}

/**
 * The scan of Mamba-2 (SSD), fused: one scalar A a head, h/g heads sharing a group's B and C.
 *
 *     dt := clamp(softplus(dt + dtBias), dtMin, dtMax)                    (softplus if dtSoftplus)
 *     state_t = exp(dt_t A) state_{t-1} + dt_t x_t B_t^T                  // [p, n]
 *     y_t = state_t C_t + D x_t;   y_t := y_t silu(z_t)                   (if z)
 *
 * The same in chunks of q = `chunkSize` tokens, as matrix products: with cs_t = sum of dt A inside the chunk up to t and
 * L_ts = exp(cs_t - cs_s) for s <= t, 0 above the diagonal (all these decays are 0 across the start of a sequence),
 *
 *     y      = (L * (C B^T)) (dt x)  +  exp(cs) C state_in^T              // [q, p], from the chunk and from before it
 *     state_out = exp(cs_q) state_in + (exp(cs_q - cs) dt x)^T B          // [p, n]
 *
 * Shapes: x, z, y [b, l, h, p]; dt [b, l, h]; A, dtBias [h], A negative; B, C [b, l, g, n]; D [h] or [h, p];
 * initialState, lastState [b, h, p, n]; seqIdx int32 [b, l]: where it changes along l the state restarts from zero (packed
 * sequences); the initial state belongs to the row's first sequence, and lastState is that of its last.
 * Errors: ShapeError, DTypeError; ArgumentError for dtMin > dtMax or a chunk size below 1.
 * Source: Dao and Gu 2024 (arXiv 2405.21060), sections 5 and 6. The input is discretized by Euler's rule (dt B), as in the official code.
 */
export const ssdScan: ScanOp<typeof inputs, typeof carried, typeof attrs, typeof outputs, typeof scanAttrs> = ops.scan;

/**
 * One step of `ssdScan`; the state is updated in place.
 *
 * Shapes: state [b, h, p, n]; x, z, y [b, h, p]; dt [b, h]; A, dtBias [h]; B, C [b, g, n]; D [h] or [h, p].
 * Errors: ShapeError, DTypeError, ArgumentError; BackendError while gradients are recorded.
 */
export const ssdScanStep: StepOp<typeof inputs, typeof carried, typeof attrs, typeof outputs> = ops.step;
