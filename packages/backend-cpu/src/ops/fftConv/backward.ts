import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { filterSpectrum, paddedLength, pairLevels, pairSpectrum, productInTime } from "./spectra.ts";

/** Both are correlations: du_s = sum_t k_{t-s} dy_t + D dy_s, dk_j = sum_t u_{t-j} dy_t; dD = sum u dy. */
export function fftConvGrad(backend: CpuBackend, { u, k, D, dY }: KernelInputs): TensorInfo[] {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  const taps = Math.min(m, l);
  const grads = [backend.output(u!.shape), backend.output(k!.shape), ...(D ? [backend.output(D.shape)] : [])];
  const [dU, dK, dD] = grads.map((grad) => backend.floats(grad));
  const [us, ks, dys] = [backend.floats(u!), backend.floats(k!), backend.floats(dY!)];
  const skip = D && backend.floats(D);
  backend.launch(() => {
    const size = paddedLength(l, m);
    dK!.fill(0);
    for (let c = 0; c < d; c++) {
      const filter = filterSpectrum(ks.subarray(c * m, (c + 1) * m), taps, size);
      const filterGrad = new Float64Array(taps);
      let skipGrad = 0;
      for (let i = 0; i < b; i += 2) {
        // What dY is divided by, u is multiplied with: their products, which the filter's gradient sums, stay as they are.
        const levels = pairLevels(dys, b, l, d, i, c);
        const to = levels.map((level) => level.to);
        const back = levels.map((level) => level.back);
        const dy = pairSpectrum(dys, b, l, d, i, c, size, to);
        const { re, im } = productInTime(filter, dy, true);
        // Of conj(u1 + i u2) (dy1 + i dy2) the real part is the sum over both rows.
        const correlation = productInTime(pairSpectrum(us, b, l, d, i, c, size, back), dy, true).re;
        for (let j = 0; j < taps; j++) filterGrad[j]! += correlation[j]!;
        for (let row = i; row < Math.min(i + 2, b); row++) {
          const part = row === i ? re : im;
          for (let t = 0; t < l; t++) {
            const at = (row * l + t) * d + c;
            dU![at] = part[t]! * back[row - i]! + (skip ? skip[c]! * dys[at]! : 0);
            skipGrad += us[at]! * dys[at]!;
          }
        }
      }
      dK!.set(filterGrad, c * m);
      if (dD) dD[c] = skipGrad;
    }
  });
  return grads;
}
