import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/**
 * The adjoint runs the other way with the conjugate decay, g_t = dStates_t + conj(ABar_{t+1}) g_{t+1};
 * then dBu_t = g_t, dABar_t = g_t conj(state_{t-1}), and the initial state gets conj(ABar_first) g_first.
 */
export function diagonalScanGrad(
  backend: CpuBackend,
  { ABar, Bu, initialState, states, dStates, dLastState }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const varying = ABar!.shape.length === 4;
  const stride = varying ? 2 * n : 0;
  const grads = [
    backend.output(ABar!.shape),
    backend.output(Bu!.shape),
    ...(initialState ? [backend.output(initialState.shape)] : []),
  ];
  const [dABar, dBu, dInitial] = grads.map((grad) => backend.floats(grad));
  const decays = backend.floats(ABar!);
  const kept = backend.floats(states!);
  const initial = initialState && backend.floats(initialState);
  const upstream = dStates && backend.floats(dStates);
  const upstreamLast = dLastState && backend.floats(dLastState);
  backend.launch(() => {
    const sums = new Float64Array(varying ? 0 : 2 * n); // over batch and length, in float64
    const g = new Float64Array(2 * n);
    for (let i = 0; i < b; i++) {
      if (upstreamLast) g.set(upstreamLast.subarray(2 * n * i, 2 * n * (i + 1)));
      else g.fill(0);
      for (let step = l - 1; step >= 0; step--) {
        const token = i * l + (attrs.reverse ? l - 1 - step : step);
        const before = token + (attrs.reverse ? 1 : -1);
        for (let k = 0; k < 2 * n; k += 2) {
          const at = 2 * n * token + k;
          const re = g[k]! + (upstream ? upstream[at]! : 0);
          const im = g[k + 1]! + (upstream ? upstream[at + 1]! : 0);
          dBu![at] = re;
          dBu![at + 1] = im;
          const own = 2 * n * i + k;
          const sRe = step > 0 ? kept[2 * n * before + k]! : initial ? initial[own]! : 0;
          const sIm = step > 0 ? kept[2 * n * before + k + 1]! : initial ? initial[own + 1]! : 0;
          const aGradRe = re * sRe + im * sIm;
          const aGradIm = im * sRe - re * sIm;
          if (varying) {
            dABar![at] = aGradRe;
            dABar![at + 1] = aGradIm;
          } else {
            sums[k]! += aGradRe;
            sums[k + 1]! += aGradIm;
          }
          const aRe = decays[stride * token + k]!;
          const aIm = decays[stride * token + k + 1]!;
          g[k] = aRe * re + aIm * im;
          g[k + 1] = aRe * im - aIm * re;
        }
      }
      dInitial?.set(g, 2 * n * i);
    }
    if (!varying) dABar!.set(sums);
  });
  return grads;
}
