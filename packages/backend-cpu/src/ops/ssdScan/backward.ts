import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu, siluGradient } from "../../math.ts";
import { advance, ssdArrays, type SsdArrays } from "./arrays.ts";
import { outputOf } from "./forward.ts";

/** Inputs that get a gradient, in the order the op declares. */
const DIFFERENTIABLE = ["x", "dt", "A", "B", "C", "D", "z", "dtBias", "initialState"] as const;
type Gradients = Partial<Record<(typeof DIFFERENTIABLE)[number], Float64Array>>;

/**
 * Gradients of the Mamba-2 scan. States are kept at chunk boundaries and recomputed inside a chunk; the adjoint
 *
 *     dstate_t = dout_t C_t^T + exp(dt_{t+1} A) dstate_{t+1}
 *
 * runs backwards, with dout = dy silu(z), and each input's gradient is read off where the forward pass used it.
 */
export function ssdScanGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = ssdArrays(backend, inputs, attrs);
  const names = DIFFERENTIABLE.filter((name) => inputs[name]);
  const outputs = names.map((name) => backend.output(inputs[name]!.shape));
  const targets = outputs.map((info) => backend.floats(info));
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  backend.launch(() => {
    // Sums over the batch, the length and the heads in float64: they are the reference others are judged by.
    const grads: Gradients = Object.fromEntries(names.map((name, i) => [name, new Float64Array(targets[i]!.length)]));
    for (let row = 0; row < s.b * s.h; row++) headGradients(s, attrs.chunkSize as number, row, grads, dY, dLastState);
    names.forEach((name, i) => targets[i]!.set(grads[name]!));
  });
  return outputs;
}

function headGradients(
  s: SsdArrays,
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
  const walk = (from: number, states: Float64Array, keepEach: boolean): void => {
    const until = Math.min(s.l, from + chunk);
    for (let t = from; t < until; t++) {
      const at = keepEach ? (t - from + 1) * size : 0;
      if (keepEach) states.copyWithin(at, at - size, at);
      advance(s, states.subarray(at, at + size), i, t, head);
    }
  };
  for (let c = 0; c < count; c++) {
    starts.copyWithin((c + 1) * size, c * size, (c + 1) * size);
    walk(c * chunk, starts.subarray((c + 1) * size, (c + 2) * size), false);
  }
  const dState = new Float64Array(size);
  if (dLastState) dState.set(dLastState.subarray(row * size, (row + 1) * size));
  const states = new Float64Array((Math.min(chunk, s.l) + 1) * size);
  for (let c = count - 1; c >= 0; c--) {
    const from = c * chunk;
    states.set(starts.subarray(c * size, (c + 1) * size));
    walk(from, states, true);
    for (let t = Math.min(s.l, from + chunk) - 1; t >= from; t--) {
      const at = (t - from) * size;
      tokenGradients(
        s,
        { i, t, head },
        states.subarray(at, at + size),
        states.subarray(at + size, at + 2 * size),
        dState,
        grads,
        dY,
      );
    }
  }
  grads.initialState?.set(dState, row * size);
}

interface Position {
  readonly i: number;
  readonly t: number;
  readonly head: number;
}

/** What one token adds to every gradient; `dState` goes from after the token to before it. */
function tokenGradients(
  s: SsdArrays,
  { i, t, head }: Position,
  before: Float64Array,
  after: Float64Array,
  dState: Float64Array,
  grads: Gradients,
  dY: Float32Array | undefined,
): void {
  const token = i * s.l + t;
  const delta = s.delta(token, head);
  const A = s.A[head]!;
  const fresh = s.restarts(i, t);
  const decay = fresh ? 0 : Math.exp(delta * A);
  const bc = s.bcOffset(token, head);
  let dDelta = 0;
  let dDecayed = 0; // dstate . (decay * state before): what both dt A factors get
  for (let c = 0; c < s.p; c++) {
    const at = (token * s.h + head) * s.p + c;
    const x = s.x[at]!;
    const upstream = dY ? dY[at]! : 0;
    const dOut = s.z ? upstream * silu(s.z[at]!) : upstream;
    if (s.z) grads.z![at] = upstream * outputOf(s, after, at, head, c, bc) * siluGradient(s.z[at]!);
    let written = 0; // dstate . B
    for (let k = 0; k < s.n; k++) {
      const e = c * s.n + k;
      const ds = dState[e]! + dOut * s.C[bc + k]!;
      grads.C![bc + k]! += dOut * after[e]!;
      grads.B![bc + k]! += ds * delta * x;
      written += ds * s.B[bc + k]!;
      if (!fresh) dDecayed += ds * decay * before[e]!;
      dState[e] = fresh ? 0 : ds * decay;
    }
    dDelta += written * x;
    grads.x![at] = delta * written;
    if (s.skipIndex) {
      const skip = s.skipIndex(head, c);
      grads.x![at]! += dOut * s.D![skip]!;
      grads.D![skip]! += dOut * x;
    }
  }
  const dRaw = (dDelta + dDecayed * A) * s.deltaSlope(token, head);
  grads.A![head]! += dDecayed * delta;
  grads.dt![token * s.h + head] = dRaw;
  if (grads.dtBias) grads.dtBias[head]! += dRaw;
}
