import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu, softplus } from "../../math.ts";
import { scanArrays, type ScanArrays } from "./arrays.ts";

/** state_t = exp(delta A) state_{t-1} + delta B u;  y = (C . state + D u) silu(z): arXiv 2312.00752, Algorithm 2. */
export function selectiveScan(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, l, d] = inputs.u!.shape as [number, number, number];
  const n = inputs.A!.shape[1]!;
  const y = backend.output([b, l, d]);
  const lastState = backend.output([b, d, n]);
  const s = scanArrays(backend, inputs);
  const out = backend.floats(y);
  const state = backend.floats(lastState);
  backend.launch(() => {
    if (s.initialState) state.set(s.initialState);
    else state.fill(0);
    for (let i = 0; i < b; i++) {
      const own = state.subarray(i * d * n, (i + 1) * d * n);
      for (let t = 0; t < l; t++) {
        const token = i * l + t;
        if (t > 0 && s.seqIdx && s.seqIdx[token] !== s.seqIdx[token - 1]) own.fill(0);
        scanToken(s, own, out, token, d, n, attrs.deltaSoftplus as boolean);
      }
    }
  });
  if (attrs.returnLastState) return [y, lastState];
  backend.disposeData(lastState.dataId);
  return [y];
}

/** One token; the state is changed in place. */
export function selectiveScanStep(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, d] = inputs.u!.shape as [number, number];
  const n = inputs.A!.shape[1]!;
  const y = backend.output([b, d]);
  const s = scanArrays(backend, inputs);
  const out = backend.floats(y);
  const state = backend.floats(inputs.state!);
  backend.launch(() => {
    for (let i = 0; i < b; i++)
      scanToken(s, state.subarray(i * d * n, (i + 1) * d * n), out, i, d, n, attrs.deltaSoftplus as boolean);
  });
  return [y];
}

/** Takes one token into the state of its row, [d, n], and writes its output. */
function scanToken(
  s: ScanArrays,
  state: Float32Array,
  out: Float32Array,
  token: number,
  d: number,
  n: number,
  deltaSoftplus: boolean,
): void {
  const { A, B, C } = s;
  for (let c = 0; c < d; c++) {
    const at = token * d + c;
    const raw = s.delta[at]! + (s.deltaBias ? s.deltaBias[c]! : 0);
    const delta = deltaSoftplus ? softplus(raw) : raw;
    const u = s.u[at]!;
    const bc = s.bcOffset(token, c);
    let sum = s.D ? s.D[c]! * u : 0;
    for (let k = 0; k < n; k++) {
      const h = Math.exp(delta * A[c * n + k]!) * state[c * n + k]! + delta * B[bc + k]! * u;
      state[c * n + k] = h;
      sum += C[bc + k]! * h;
    }
    out[at] = s.z ? sum * silu(s.z[at]!) : sum;
  }
}
