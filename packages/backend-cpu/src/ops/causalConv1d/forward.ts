import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu } from "../../math.ts";
import { convolveAt, convWindow } from "./window.ts";

/** y_t = silu(bias + sum_j weight_j x_{t-(k-1)+j}); the window does not reach into another sequence. */
export function causalConv1d(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const window = convWindow(backend, inputs);
  const { b, l, d, k } = window;
  const y = backend.output([b, l, d]);
  const out = backend.floats(y);
  const lastState = attrs.returnLastState ? backend.output([b, k - 1, d]) : undefined;
  const state = lastState && backend.floats(lastState);
  backend.launch(() => {
    const lines = new Float64Array((k - 1 + l) * d);
    for (let i = 0; i < b; i++) {
      window.loadRow(i, lines);
      for (let t = 0; t < l; t++) {
        const first = window.firstTap(i, t);
        for (let c = 0; c < d; c++) {
          const dot = convolveAt(window, lines, t, c, first);
          out[(i * l + t) * d + c] = attrs.silu ? silu(dot) : dot;
        }
      }
      if (!state) continue;
      // The last k-1 lines, but those of the sequence that the last token belongs to.
      const from = Math.max(0, window.firstTap(i, l - 1) - 1);
      const own = state.subarray(i * (k - 1) * d, (i + 1) * (k - 1) * d);
      own.fill(0, 0, from * d);
      own.set(lines.subarray((l + from) * d), from * d);
    }
  });
  return lastState ? [y, lastState] : [y];
}

/** One token; the state shifts by one and takes it in. */
export function causalConv1dStep(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, d] = inputs.x!.shape as [number, number];
  const k = inputs.weight!.shape[1]!;
  const y = backend.output([b, d]);
  const [x, state, weight, out] = [
    backend.floats(inputs.x!),
    backend.floats(inputs.state!),
    backend.floats(inputs.weight!),
    backend.floats(y),
  ];
  const bias = inputs.bias && backend.floats(inputs.bias);
  backend.launch(() => {
    for (let i = 0; i < b; i++) {
      for (let c = 0; c < d; c++) {
        const current = x[i * d + c]!;
        let dot = (bias ? bias[c]! : 0) + weight[c * k + k - 1]! * current;
        for (let j = 0; j < k - 1; j++) {
          const at = (i * (k - 1) + j) * d + c;
          dot += weight[c * k + j]! * state[at]!;
          state[at] = j + 1 < k - 1 ? state[at + d]! : current;
        }
        out[i * d + c] = attrs.silu ? silu(dot) : dot;
      }
    }
  });
  return [y];
}
