import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import { fft } from "@statespace/core/math";
import type { CpuBackend } from "../../backend.ts";

/** y_t = (1/l) sum_k c_k Re(x_k exp(2 pi i k t / l)), so dx_k = (c_k / l) sum_t dy_t exp(-2 pi i k t / l): the forward transform of dy. */
export function inverseRealFftGrad(
  backend: CpuBackend,
  { x, dY }: KernelInputs,
  { seqLen }: KernelAttrs,
): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const dX = backend.output(x!.shape);
  const [dy, out] = [backend.floats(dY!), backend.floats(dX)];
  backend.launch(() => {
    for (let i = 0; i < h; i++) {
      const re = Float64Array.from(dy.subarray(i * l, (i + 1) * l));
      const im = new Float64Array(l);
      fft(re, im);
      for (let k = 0; k < m; k++) {
        const alone = k === 0 || 2 * k === l;
        out[2 * (i * m + k)] = ((alone ? 1 : 2) * re[k]!) / l;
        out[2 * (i * m + k) + 1] = alone ? 0 : (2 * im[k]!) / l;
      }
    }
  });
  return [dX];
}
