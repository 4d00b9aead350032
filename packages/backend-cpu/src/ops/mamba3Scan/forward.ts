import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu } from "../../math.ts";
import { advance, mamba3Arrays, outputOf, type Mamba3Arrays } from "./arrays.ts";

/** The trapezoidal recurrence of Mamba-3, as the recurrence it is; see the op for the equations. */
export function mamba3Scan(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = mamba3Arrays(backend, inputs);
  const y = backend.output(inputs.v!.shape);
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
        readOut(s, state, out, (i * s.l + t) * s.h + head, head);
      }
      last?.set(state, row * state.length);
    }
  });
  return lastState ? [y, lastState] : [y];
}

/** One token; state, lastK and lastV are changed in place. */
export function mamba3ScanStep(backend: CpuBackend, inputs: KernelInputs): TensorInfo[] {
  const s = mamba3Arrays(backend, inputs);
  const y = backend.output(inputs.v!.shape);
  const out = backend.floats(y);
  const [states, lastK, lastV] = [
    backend.floats(inputs.state!),
    backend.floats(inputs.lastK!),
    backend.floats(inputs.lastV!),
  ];
  const size = s.p * s.n;
  backend.launch(() => {
    for (let row = 0; row < s.b * s.h; row++) {
      const state = states.subarray(row * size, (row + 1) * size);
      advance(s, state, Math.floor(row / s.h), 0, row % s.h);
      readOut(s, state, out, row, row % s.h);
    }
    lastK.set(s.k);
    lastV.set(s.v);
  });
  return [y];
}

/** Every rank's output of a head; `index` counts [token, head]. */
function readOut(
  s: Mamba3Arrays,
  state: Float64Array | Float32Array,
  out: Float32Array,
  index: number,
  head: number,
): void {
  for (let at = index * s.r; at < (index + 1) * s.r; at++) {
    for (let c = 0; c < s.p; c++) {
      const sum = outputOf(s, state, at, head, c);
      out[at * s.p + c] = s.z ? sum * silu(s.z[at * s.p + c]!) : sum;
    }
  }
}
