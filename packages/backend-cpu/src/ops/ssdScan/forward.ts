import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu } from "../../math.ts";
import { advance, ssdArrays, type SsdArrays } from "./arrays.ts";

/** state_t = exp(dt A) state_{t-1} + dt x B^T;  y = (state C + D x) silu(z): arXiv 2405.21060, as the recurrence it is. */
export function ssdScan(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = ssdArrays(backend, inputs, attrs);
  const y = backend.output([s.b, s.l, s.h, s.p]);
  const lastState = attrs.returnLastState ? backend.output([s.b, s.h, s.p, s.n]) : undefined;
  const out = backend.floats(y);
  const last = lastState && backend.floats(lastState);
  backend.launch(() => {
    // The state runs in float64, so that what is rounded is the output alone.
    const state = new Float64Array(s.p * s.n);
    for (let row = 0; row < s.b * s.h; row++) {
      const [i, head] = [Math.floor(row / s.h), row % s.h];
      if (s.initialState) state.set(s.initialState.subarray(row * state.length, (row + 1) * state.length));
      else state.fill(0);
      for (let t = 0; t < s.l; t++) {
        advance(s, state, i, t, head);
        readOut(s, state, out, i * s.l + t, head);
      }
      last?.set(state, row * state.length);
    }
  });
  return lastState ? [y, lastState] : [y];
}

/** One token; the state is changed in place. */
export function ssdScanStep(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = ssdArrays(backend, inputs, attrs);
  const y = backend.output([s.b, s.h, s.p]);
  const out = backend.floats(y);
  const states = backend.floats(inputs.state!);
  const size = s.p * s.n;
  backend.launch(() => {
    for (let row = 0; row < s.b * s.h; row++) {
      const state = states.subarray(row * size, (row + 1) * size);
      advance(s, state, Math.floor(row / s.h), 0, row % s.h);
      readOut(s, state, out, Math.floor(row / s.h), row % s.h);
    }
  });
  return [y];
}

function readOut(
  s: SsdArrays,
  state: Float64Array | Float32Array,
  out: Float32Array,
  token: number,
  head: number,
): void {
  const bc = s.bcOffset(token, head);
  for (let c = 0; c < s.p; c++) {
    const at = (token * s.h + head) * s.p + c;
    const sum = outputOf(s, state, at, head, c, bc);
    out[at] = s.z ? sum * silu(s.z[at]!) : sum;
  }
}

/** C . state + D x of one channel, before the gate. */
export function outputOf(
  s: SsdArrays,
  state: Float64Array | Float32Array,
  at: number,
  head: number,
  channel: number,
  bc: number,
): number {
  let sum = s.skipIndex ? s.D![s.skipIndex(head, channel)]! * s.x[at]! : 0;
  for (let k = 0; k < s.n; k++) sum += s.C[bc + k]! * state[channel * s.n + k]!;
  return sum;
}
