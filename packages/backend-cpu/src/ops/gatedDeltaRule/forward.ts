import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { correct, deltaArrays, type DeltaArrays } from "./token.ts";

/** A state that decays and is corrected towards v at k: arXiv 2412.06464, as the recurrence it is. */
export function forward(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = deltaArrays(backend, inputs, attrs);
  const y = backend.output(inputs.v!.shape);
  const lastState = attrs.returnLastState ? backend.output([s.b, s.h, s.n, s.p]) : undefined;
  const out = backend.floats(y);
  const last = lastState && backend.floats(lastState);
  backend.launch(() => {
    // The state runs in float64, so that what is rounded is the output alone.
    const state = new Float64Array(s.n * s.p);
    for (let row = 0; row < s.b * s.h; row++) {
      const [i, head] = [Math.floor(row / s.h), row % s.h];
      if (s.initialState) state.set(s.initialState.subarray(row * state.length, (row + 1) * state.length));
      else state.fill(0);
      for (let t = 0; t < s.l; t++) {
        correct(s, state, i, t, head);
        readOut(s, state, out, (i * s.l + t) * s.h + head);
      }
      last?.set(state, row * state.length);
    }
  });
  return lastState ? [y, lastState] : [y];
}

/** One token; the state is changed in place. */
export function step(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const s = deltaArrays(backend, inputs, attrs);
  const y = backend.output(inputs.v!.shape);
  const out = backend.floats(y);
  const states = backend.floats(inputs.state!);
  const size = s.n * s.p;
  backend.launch(() => {
    for (let row = 0; row < s.b * s.h; row++) {
      const state = states.subarray(row * size, (row + 1) * size);
      correct(s, state, Math.floor(row / s.h), 0, row % s.h);
      readOut(s, state, out, row);
    }
  });
  return [y];
}

/** y = state^T (scale q) */
function readOut(s: DeltaArrays, state: Float64Array | Float32Array, out: Float32Array, at: number): void {
  const { vector } = s.query(at);
  for (let c = 0; c < s.p; c++) {
    let sum = 0;
    for (let row = 0; row < s.n; row++) sum += state[row * s.p + c]! * vector[row]!;
    out[at * s.p + c] = s.scale * sum;
  }
}
