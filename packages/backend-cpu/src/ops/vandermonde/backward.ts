import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** With E_t = exp(t logABar): dC = 2 sum_t dy_t conj(E_t), dLogABar = 2 sum_t t dy_t conj(C E_t). */
export function vandermondeGrad(
  backend: CpuBackend,
  { C, logABar, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const grads = [backend.output(C!.shape), backend.output(C!.shape)];
  const [dC, dLog] = grads.map((grad) => backend.floats(grad));
  const [cs, logs, dy] = [backend.floats(C!), backend.floats(logABar!), backend.floats(dY!)];
  backend.launch(() => {
    for (let i = 0; i < h; i++) {
      for (let at = 2 * n * i; at < 2 * n * (i + 1); at += 2) {
        let [re, im, slopeRe, slopeIm] = [0, 0, 0, 0];
        for (let t = 0; t < l; t++) {
          const size = 2 * dy[i * l + t]! * Math.exp(t * logs[at]!);
          const phase = t * logs[at + 1]!;
          const [eRe, eIm] = [size * Math.cos(phase), size * Math.sin(phase)];
          re += eRe;
          im -= eIm;
          slopeRe += t * (eRe * cs[at]! - eIm * cs[at + 1]!);
          slopeIm -= t * (eRe * cs[at + 1]! + eIm * cs[at]!);
        }
        dC![at] = re;
        dC![at + 1] = im;
        dLog![at] = slopeRe;
        dLog![at + 1] = slopeIm;
      }
    }
  });
  return grads;
}
