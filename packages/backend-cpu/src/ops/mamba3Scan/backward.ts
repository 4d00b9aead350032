import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu, siluGradient } from "../../math.ts";
import { advance, mamba3Arrays, outputOf, type Mamba3Arrays } from "./arrays.ts";

/** Inputs that get a gradient, in the order the op declares. */
const DIFFERENTIABLE = ["q", "k", "v", "adt", "dt", "trap", "D", "z", "initialState", "initialK", "initialV"] as const;
type Gradients = Partial<Record<(typeof DIFFERENTIABLE)[number], Float64Array>>;

/**
 * Gradients of the Mamba-3 scan. States are kept at chunk boundaries and recomputed inside a chunk; the adjoint
 *
 *     dstate_t = sum_j dout_{t,j} q_{t,j}^T + alpha_{t+1} dstate_{t+1}
 *
 * runs backwards, with dout = dy silu(z), and each input's gradient is read off where the forward pass used it.
 */
export function mamba3ScanGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = mamba3Arrays(backend, inputs);
  const names = DIFFERENTIABLE.filter((name) => inputs[name]);
  const outputs = names.map((name) => backend.output(inputs[name]!.shape));
  const targets = outputs.map((info) => backend.floats(info));
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  backend.launch(() => {
    const grads: Gradients = Object.fromEntries(names.map((name, i) => [name, new Float64Array(targets[i]!.length)]));
    for (let row = 0; row < s.b * s.h; row++) headGradients(s, attrs.chunkSize as number, row, grads, dY, dLastState);
    names.forEach((name, i) => targets[i]!.set(grads[name]!));
  });
  return outputs;
}

function headGradients(
  s: Mamba3Arrays,
  chunk: number,
  row: number,
  grads: Gradients,
  dY: Float32Array | undefined,
  dLastState: Float32Array | undefined,
): void {
  const size = s.p * s.n;
  const [i, head] = [Math.floor(row / s.h), row % s.h];
  const count = Math.ceil(s.l / chunk);
  const starts = new Float64Array((count + 1) * size);
  if (s.initialState) starts.set(s.initialState.subarray(row * size, (row + 1) * size));
  for (let c = 0; c < count; c++) {
    starts.copyWithin((c + 1) * size, c * size, (c + 1) * size);
    for (let t = c * chunk; t < Math.min(s.l, (c + 1) * chunk); t++)
      advance(s, starts.subarray((c + 1) * size, (c + 2) * size), i, t, head);
  }
  const dState = new Float64Array(size);
  if (dLastState) dState.set(dLastState.subarray(row * size, (row + 1) * size));
  const states = new Float64Array((Math.min(chunk, s.l) + 1) * size); // before each token of the chunk, and after the last
  for (let c = count - 1; c >= 0; c--) {
    const [from, until] = [c * chunk, Math.min(s.l, (c + 1) * chunk)];
    states.set(starts.subarray(c * size, (c + 1) * size));
    for (let t = from; t < until; t++) {
      const at = (t - from + 1) * size;
      states.copyWithin(at, at - size, at);
      advance(s, states.subarray(at, at + size), i, t, head);
    }
    for (let t = until - 1; t >= from; t--) {
      const at = (t - from) * size;
      readGradients(s, { i, t, head }, states.subarray(at + size, at + 2 * size), dState, grads, dY);
      writeGradients(s, { i, t, head }, states.subarray(at, at + size), dState, grads);
    }
  }
  grads.initialState?.set(dState, row * size);
}

interface Position {
  readonly i: number;
  readonly t: number;
  readonly head: number;
}

/** Where y was read from the state: q, the skip and the gate; the state's adjoint gains what y passes on. */
function readGradients(
  s: Mamba3Arrays,
  { i, t, head }: Position,
  state: Float64Array,
  dState: Float64Array,
  grads: Gradients,
  dY: Float32Array | undefined,
): void {
  if (dY === undefined) return;
  const first = ((i * s.l + t) * s.h + head) * s.r;
  for (let at = first; at < first + s.r; at++) {
    for (let c = 0; c < s.p; c++) {
      const e = at * s.p + c;
      const dOut = s.z ? dY[e]! * silu(s.z[e]!) : dY[e]!;
      if (s.z) grads.z![e] = dY[e]! * outputOf(s, state, at, head, c) * siluGradient(s.z[e]!);
      if (s.D) {
        grads.D![head]! += dOut * s.v[e]!;
        grads.v![e]! += dOut * s.D[head]!;
      }
      for (let m = 0; m < s.n; m++) {
        grads.q![at * s.n + m]! += dOut * state[c * s.n + m]!;
        dState[c * s.n + m]! += dOut * s.q[at * s.n + m]!;
      }
    }
  }
}

/** Where the state was written: by this token, by the one before, and by its own decay; the adjoint goes to before the token. */
function writeGradients(
  s: Mamba3Arrays,
  { i, t, head }: Position,
  before: Float64Array,
  dState: Float64Array,
  grads: Gradients,
): void {
  const { starts, alpha, beta, gamma, lambda, dt } = s.trapezoid(i, t, head);
  const at = (i * s.l + t) * s.h + head;
  const row = i * s.h + head;
  const dGamma = outerGradients(s, dState, s.written(i, t, head), gamma, [grads.k!, grads.v!], at);
  // A new sequence has nothing before it: beta is 0 there, and so is what would reach beta's factors.
  const previous = t > 0 ? ([grads.k!, grads.v!] as const) : ([grads.initialK, grads.initialV] as const);
  const dBeta = starts
    ? 0
    : outerGradients(s, dState, s.written(i, t - 1, head), beta, previous, t > 0 ? at - s.h : row);
  let dAlpha = 0;
  for (let e = 0; e < dState.length; e++) {
    dAlpha += dState[e]! * before[e]!;
    dState[e] = starts ? 0 : alpha * dState[e]!;
  }
  grads.adt![at] = starts ? 0 : dAlpha * alpha + dBeta * beta;
  grads.dt![at] = dBeta * (1 - lambda) * alpha + dGamma * lambda;
  grads.trap![at] = dt * (dGamma - dBeta * alpha) * lambda * (1 - lambda);
}

type KeyValueGradients = readonly [dK: Float64Array | undefined, dV: Float64Array | undefined];

/** Adds the gradients of weight * sum_j v_j k_j^T by k and v at a tile, and returns that by the weight. */
function outerGradients(
  s: Mamba3Arrays,
  dState: Float64Array,
  { k, v }: { k: Float32Array; v: Float32Array },
  weight: number,
  [dK, dV]: KeyValueGradients,
  tile: number,
): number {
  let dWeight = 0;
  for (let j = 0; j < s.r; j++) {
    for (let c = 0; c < s.p; c++) {
      const value = v[j * s.p + c]!;
      let dot = 0;
      for (let m = 0; m < s.n; m++) {
        const ds = dState[c * s.n + m]!;
        dot += ds * k[j * s.n + m]!;
        if (dK) dK[(tile * s.r + j) * s.n + m]! += weight * ds * value;
      }
      if (dV) dV[(tile * s.r + j) * s.p + c]! += weight * dot;
      dWeight += value * dot;
    }
  }
  return dWeight;
}
