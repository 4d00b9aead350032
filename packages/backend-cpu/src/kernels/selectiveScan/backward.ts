import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { CpuBackend } from "../../backend.ts";
import { sigmoid, silu, siluGradient, softplus } from "../../math.ts";
import { scanArrays } from "./arrays.ts";

/** Inputs that get a gradient, in the order the op declares. */
const DIFFERENTIABLE = ["u", "delta", "A", "B", "C", "D", "z", "deltaBias", "initialState"] as const;

/**
 * Gradients of the selective scan. The states of one row are recomputed (section 3.3.2), then the adjoint
 *
 *     dstate_t = C_t dout_t + exp(delta_{t+1} A) dstate_{t+1}
 *
 * runs backwards, with dout = dy silu(z), and each input's gradient is read off where the forward pass used it.
 */
export function selectiveScanGrad(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, l, d] = inputs.u!.shape as [number, number, number];
  const n = inputs.A!.shape[1]!;
  const grads: Record<string, TensorInfo> = {};
  const arrays: Record<string, Float32Array> = {};
  for (const name of DIFFERENTIABLE) {
    const input = inputs[name];
    if (!input) continue;
    grads[name] = backend.output(input.shape);
    arrays[name] = backend.floats(grads[name]);
  }
  const s = scanArrays(backend, inputs);
  const dY = inputs.dY ? backend.floats(inputs.dY) : undefined;
  const dLastState = inputs.dLastState ? backend.floats(inputs.dLastState) : undefined;
  backend.launch(() => {
    // Sums over the batch, the length and the channels in float64: they are the reference others are judged by.
    const dA = new Float64Array(d * n);
    const dD = new Float64Array(d);
    const dBias = new Float64Array(d);
    const dB = new Float64Array(s.B.length);
    const dC = new Float64Array(s.C.length);
    const states = new Float64Array((l + 1) * n);
    const dState = new Float64Array(n);
    for (let i = 0; i < b; i++) {
      for (let c = 0; c < d; c++) {
        const row = (i * d + c) * n;
        const restarts = (t: number): boolean => t > 0 && s.seqIdx !== undefined && s.seqIdx[i * l + t] !== s.seqIdx[i * l + t - 1];
        const rawAt = (t: number): number => s.delta[(i * l + t) * d + c]! + (s.deltaBias ? s.deltaBias[c]! : 0);
        const deltaAt = (t: number): number => (attrs.deltaSoftplus ? softplus(rawAt(t)) : rawAt(t));

        for (let k = 0; k < n; k++) states[k] = s.initialState ? s.initialState[row + k]! : 0;
        for (let t = 0; t < l; t++) {
          const delta = deltaAt(t);
          const bc = s.bcOffset(i * l + t, c);
          for (let k = 0; k < n; k++) {
            const before = restarts(t) ? 0 : states[t * n + k]!;
            states[(t + 1) * n + k] = Math.exp(delta * s.A[c * n + k]!) * before + delta * s.B[bc + k]! * s.u[(i * l + t) * d + c]!;
          }
        }

        for (let k = 0; k < n; k++) dState[k] = dLastState ? dLastState[row + k]! : 0;
        for (let t = l - 1; t >= 0; t--) {
          const at = (i * l + t) * d + c;
          const bc = s.bcOffset(i * l + t, c);
          const delta = deltaAt(t);
          const u = s.u[at]!;
          const upstream = dY ? dY[at]! : 0;
          const dOut = s.z ? upstream * silu(s.z[at]!) : upstream;
          let out = s.D ? s.D[c]! * u : 0;
          let dDelta = 0;
          let dU = s.D ? dOut * s.D[c]! : 0;
          dD[c]! += dOut * u;
          for (let k = 0; k < n; k++) {
            const A = s.A[c * n + k]!;
            const B = s.B[bc + k]!;
            const C = s.C[bc + k]!;
            const state = states[(t + 1) * n + k]!;
            const before = restarts(t) ? 0 : states[t * n + k]!;
            const ABar = Math.exp(delta * A);
            out += C * state;
            dC[bc + k]! += dOut * state;
            const ds = dState[k]! + dOut * C;
            dA[c * n + k]! += ds * before * ABar * delta;
            dDelta += ds * (before * ABar * A + B * u);
            dU += ds * delta * B;
            dB[bc + k]! += ds * delta * u;
            dState[k] = restarts(t) ? 0 : ds * ABar;
          }
          const dRaw = attrs.deltaSoftplus ? dDelta * sigmoid(rawAt(t)) : dDelta;
          dBias[c]! += dRaw;
          arrays.delta![at] = dRaw;
          arrays.u![at] = dU;
          if (s.z) arrays.z![at] = upstream * out * siluGradient(s.z[at]!);
        }
        arrays.initialState?.set(dState, row);
      }
    }
    arrays.A!.set(dA);
    arrays.B!.set(dB);
    arrays.C!.set(dC);
    arrays.D?.set(dD);
    arrays.deltaBias?.set(dBias);
  });
  return Object.values(grads);
}
