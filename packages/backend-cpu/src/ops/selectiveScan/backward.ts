import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { sigmoid, silu, siluGradient, softplus } from "../../math.ts";
import { scanArrays, type ScanArrays } from "./arrays.ts";

/** Inputs that get a gradient, in the order the op declares. */
const DIFFERENTIABLE = ["u", "delta", "A", "B", "C", "D", "z", "deltaBias", "initialState"] as const;

/** What the two passes over a channel share. */
interface Work {
  readonly s: ScanArrays;
  readonly extents: { readonly l: number; readonly d: number; readonly n: number };
  readonly deltaSoftplus: boolean;
  readonly dY: Float32Array | undefined;
  readonly dLastState: Float32Array | undefined;
  /** Gradients, summed in float64: they are the reference others are judged by. */
  readonly sums: Readonly<Record<(typeof DIFFERENTIABLE)[number], Float64Array>>;
  /** Of one channel: delta after softplus [l], states from the initial one on [l + 1, n], exp(delta A) [l, n], and where another sequence starts [l]. */
  readonly deltas: Float64Array;
  readonly starts: Uint8Array;
  readonly states: Float64Array;
  readonly decays: Float64Array;
  readonly dState: Float64Array;
}

/**
 * Gradients of the selective scan. The states of one channel are recomputed (section 3.3.2), then the adjoint
 *
 *     dstate_t = C_t dout_t + exp(delta_{t+1} A) dstate_{t+1}
 *
 * runs backwards, with dout = dy silu(z), and each input's gradient is read off where the forward pass used it.
 */
export function selectiveScanGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, l, d] = inputs.u!.shape as [number, number, number];
  const n = inputs.A!.shape[1]!;
  const names = DIFFERENTIABLE.filter((name) => inputs[name]);
  const grads = names.map((name) => backend.output(inputs[name]!.shape));
  const outs = grads.map((grad) => backend.floats(grad));
  const s = scanArrays(backend, inputs);
  const dY = inputs.dY && backend.floats(inputs.dY);
  const dLastState = inputs.dLastState && backend.floats(inputs.dLastState);
  backend.launch(() => {
    const sums = Object.fromEntries(
      DIFFERENTIABLE.map((name) => [name, new Float64Array(outs[names.indexOf(name)]?.length ?? 0)]),
    ) as Work["sums"];
    const work: Work = {
      s,
      dY,
      dLastState,
      sums,
      extents: { l, d, n },
      deltaSoftplus: attrs.deltaSoftplus as boolean,
      deltas: new Float64Array(l),
      starts: new Uint8Array(l),
      states: new Float64Array((l + 1) * n),
      decays: new Float64Array(l * n),
      dState: new Float64Array(n),
    };
    for (let i = 0; i < b; i++) {
      for (let c = 0; c < d; c++) {
        recompute(work, i, c);
        goBack(work, i, c);
      }
    }
    names.forEach((name, i) => outs[i]!.set(sums[name]));
  });
  return grads;
}

/** The forward recurrence of channel c in row i, every state kept. */
function recompute(
  { s, extents: { l, d, n }, deltaSoftplus, deltas, starts, states, decays }: Work,
  i: number,
  c: number,
): void {
  const { u, A, B } = s;
  for (let k = 0; k < n; k++) states[k] = s.initialState ? s.initialState[(i * d + c) * n + k]! : 0;
  for (let t = 0; t < l; t++) {
    const token = i * l + t;
    const raw = s.delta[token * d + c]! + (s.deltaBias ? s.deltaBias[c]! : 0);
    const delta = deltaSoftplus ? softplus(raw) : raw;
    const drive = delta * u[token * d + c]!;
    const begins = t > 0 && s.seqIdx !== undefined && s.seqIdx[token] !== s.seqIdx[token - 1];
    const bc = s.bcOffset(token, c);
    deltas[t] = delta;
    starts[t] = Number(begins);
    for (let k = 0; k < n; k++) {
      const decay = Math.exp(delta * A[c * n + k]!);
      decays[t * n + k] = decay;
      states[(t + 1) * n + k] = (begins ? 0 : decay * states[t * n + k]!) + drive * B[bc + k]!;
    }
  }
}

/** The adjoint recurrence of channel c in row i. */
function goBack(
  { s, extents: { l, d, n }, deltaSoftplus, dY, dLastState, sums, deltas, starts, states, decays, dState }: Work,
  i: number,
  c: number,
): void {
  const { A, B, C } = s;
  const { A: dA, B: dB, C: dC } = sums;
  const skip = s.D ? s.D[c]! : 0;
  const bias = s.deltaBias ? s.deltaBias[c]! : 0;
  for (let k = 0; k < n; k++) dState[k] = dLastState ? dLastState[(i * d + c) * n + k]! : 0;
  for (let t = l - 1; t >= 0; t--) {
    const at = (i * l + t) * d + c;
    const bc = s.bcOffset(i * l + t, c);
    const delta = deltas[t]!;
    const u = s.u[at]!;
    const upstream = dY ? dY[at]! : 0;
    const dOut = s.z ? upstream * silu(s.z[at]!) : upstream;
    let out = skip * u;
    let dDelta = 0;
    let dU = dOut * skip;
    for (let k = 0; k < n; k++) {
      const state = states[(t + 1) * n + k]!;
      const decay = decays[t * n + k]!;
      const carried = starts[t] ? 0 : decay * states[t * n + k]!;
      const ds = dState[k]! + dOut * C[bc + k]!;
      out += C[bc + k]! * state;
      dC[bc + k]! += dOut * state;
      dB[bc + k]! += ds * delta * u;
      dA[c * n + k]! += ds * carried * delta;
      dDelta += ds * (carried * A[c * n + k]! + B[bc + k]! * u);
      dU += ds * delta * B[bc + k]!;
      dState[k] = starts[t] ? 0 : ds * decay;
    }
    const dRaw = deltaSoftplus ? dDelta * sigmoid(s.delta[at]! + bias) : dDelta;
    sums.delta[at] = dRaw;
    sums.u[at] = dU;
    if (s.deltaBias) sums.deltaBias[c]! += dRaw;
    if (s.D) sums.D[c]! += dOut * u;
    if (s.z) sums.z[at] = upstream * out * siluGradient(s.z[at]!);
  }
  if (s.initialState) sums.initialState.set(dState, (i * d + c) * n);
}
