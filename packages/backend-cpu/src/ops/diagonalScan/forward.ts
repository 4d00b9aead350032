import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** states_t = ABar states_{t-1} + Bu_t over complex numbers, in float64 between the tokens. */
export function diagonalScan(
  backend: CpuBackend,
  { ABar, Bu, initialState }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const states = backend.output([b, l, n, 2]);
  const lastState = attrs.returnLastState ? backend.output([b, n, 2]) : undefined;
  const decays = backend.floats(ABar!);
  const stride = ABar!.shape.length === 4 ? 2 * n : 0;
  const inputs = backend.floats(Bu!);
  const initial = initialState && backend.floats(initialState);
  const out = backend.floats(states);
  const last = lastState && backend.floats(lastState);
  backend.launch(() => {
    const state = new Float64Array(2 * n);
    for (let i = 0; i < b; i++) {
      if (initial) state.set(initial.subarray(2 * n * i, 2 * n * (i + 1)));
      else state.fill(0);
      for (let step = 0; step < l; step++) {
        const token = i * l + (attrs.reverse ? l - 1 - step : step);
        for (let k = 0; k < 2 * n; k += 2) {
          const at = 2 * n * token + k;
          const aRe = decays[stride * token + k]!;
          const aIm = decays[stride * token + k + 1]!;
          const re = aRe * state[k]! - aIm * state[k + 1]! + inputs[at]!;
          const im = aRe * state[k + 1]! + aIm * state[k]! + inputs[at + 1]!;
          out[at] = state[k] = re;
          out[at + 1] = state[k + 1] = im;
        }
      }
      last?.set(state, 2 * n * i);
    }
  });
  return lastState ? [states, lastState] : [states];
}
