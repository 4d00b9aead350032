import { ArgumentError, ShapeError } from "../../errors.ts";
import { defineOp, type BoundDims, type Op, type Tensor } from "../../tensor/index.ts";
import { ssdScanReference, ssdScanStepReference } from "./reference.ts";

/** Arguments of `ssdScan`: h heads of p channels, each with a state [p, n] and a step size dt; g groups share B and C. */
export interface SsdScanInputs {
  x: Tensor; // [b, l, h, p]
  dt: Tensor; // [b, l, h]
  A: Tensor; // [h]
  B: Tensor; // [b, l, g, n]
  C: Tensor; // [b, l, g, n]
  D?: Tensor | undefined; // [h] or [h, p]
  z?: Tensor | undefined; // [b, l, h, p]
  dtBias?: Tensor | undefined; // [h]
  initialState?: Tensor | undefined; // [b, h, p, n]
  seqIdx?: Tensor | undefined; // int32 [b, l]
}

/** Settings of `ssdScanStep`: how dt is made of what comes in. */
export interface SsdScanStepAttrs {
  /** dt := softplus(dt + dtBias). */
  dtSoftplus?: boolean;
  /** Bounds on dt after softplus; no gradient reaches dt outside them, all of it at the bounds. */
  dtMin?: number;
  dtMax?: number;
}

/** Settings of `ssdScan`. */
export interface SsdScanAttrs extends SsdScanStepAttrs {
  /** Tokens a chunk of the matrix form: a matter of speed and memory, not of the result. */
  chunkSize?: number;
  returnLastState?: boolean;
}

/** Results of `ssdScan`. */
export interface SsdScanOutputs {
  y: Tensor; // [b, l, h, p]
  /** With `returnLastState`: the state after the last token. */
  lastState?: Tensor; // [b, h, p, n]
}

function checkHeads(name: string, { dims: { h, g } }: BoundDims, { dtMin, dtMax }: Required<SsdScanStepAttrs>): void {
  if (g === 0 || h! % g! !== 0) throw new ShapeError(`${name}: groups g = ${g} must divide the heads h = ${h}`);
  if (!(dtMin <= dtMax)) throw new ArgumentError(`${name}: dtMin must be at most dtMax, got ${dtMin} and ${dtMax}`);
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
export const ssdScan: Op<SsdScanInputs, SsdScanAttrs, SsdScanOutputs> = defineOp<
  SsdScanInputs,
  SsdScanAttrs,
  SsdScanOutputs
>({
  name: "ssdScan",
  inputs: {
    x: "b l h p",
    dt: "b l h",
    A: "h",
    B: "b l g n",
    C: "b l g n",
    D: "h | h p?",
    z: "b l h p?",
    dtBias: "h?",
    initialState: "b h p n?",
    seqIdx: "int32 b l?",
  },
  attrs: { dtSoftplus: false, dtMin: 0, dtMax: Number.POSITIVE_INFINITY, chunkSize: 128, returnLastState: false },
  outputs: ({ dims: { b, l, h, p, n } }, { returnLastState }) => ({
    y: [b!, l!, h!, p!],
    ...(returnLastState ? { lastState: [b!, h!, p!, n!] } : {}),
  }),
  check: (bound, attrs) => {
    checkHeads("ssdScan", bound, attrs);
    if (!Number.isInteger(attrs.chunkSize) || attrs.chunkSize < 1)
      throw new ArgumentError(`ssdScan: chunkSize must be a whole number >= 1, got ${attrs.chunkSize}`);
  },
  differentiable: ["x", "dt", "A", "B", "C", "D", "z", "dtBias", "initialState"],
  reference: ssdScanReference,
  cost: ({ dims: { b, l, h, p, g, n } }) => ({
    flops: 5 * b! * l! * h! * p! * n!,
    bytes: 4 * (3 * b! * l! * h! * p! + 2 * b! * l! * g! * n! + b! * l! * h!),
    exps: b! * l! * h!,
  }),
});

/** Arguments of `ssdScanStep`: one token a row. */
export interface SsdScanStepInputs {
  /** Changed in place. */
  state: Tensor; // [b, h, p, n]
  x: Tensor; // [b, h, p]
  dt: Tensor; // [b, h]
  A: Tensor; // [h]
  B: Tensor; // [b, g, n]
  C: Tensor; // [b, g, n]
  D?: Tensor | undefined; // [h] or [h, p]
  z?: Tensor | undefined; // [b, h, p]
  dtBias?: Tensor | undefined; // [h]
}

/**
 * One step of `ssdScan`; the state is updated in place.
 *
 * Shapes: state [b, h, p, n]; x, z, y [b, h, p]; dt [b, h]; A, dtBias [h]; B, C [b, g, n]; D [h] or [h, p].
 * Errors: ShapeError, DTypeError, ArgumentError; BackendError while gradients are recorded.
 */
export const ssdScanStep: Op<SsdScanStepInputs, SsdScanStepAttrs, { y: Tensor }> = defineOp<
  SsdScanStepInputs,
  SsdScanStepAttrs,
  { y: Tensor }
>({
  name: "ssdScanStep",
  inputs: {
    x: "b h p",
    dt: "b h",
    A: "h",
    B: "b g n",
    C: "b g n",
    state: "b h p n",
    D: "h | h p?",
    z: "b h p?",
    dtBias: "h?",
  },
  attrs: { dtSoftplus: false, dtMin: 0, dtMax: Number.POSITIVE_INFINITY },
  outputs: ({ dims: { b, h, p } }) => ({ y: [b!, h!, p!] }),
  check: (bound, attrs) => checkHeads("ssdScanStep", bound, attrs),
  differentiable: [],
  inPlace: ["state"],
  reference: ssdScanStepReference,
  cost: ({ dims: { b, h, p, n } }) => ({ flops: 5 * b! * h! * p! * n!, bytes: 8 * b! * h! * p! * n!, exps: b! * h! }),
});
