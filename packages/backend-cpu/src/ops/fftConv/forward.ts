import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { filterSpectrum, paddedLength, pairLevels, pairSpectrum, productInTime } from "./spectra.ts";

/** y = k * u + D u, channel by channel, two batch rows a transform. */
export function fftConv(backend: CpuBackend, { u, k, D }: KernelInputs): TensorInfo[] {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  const y = backend.output([b, l, d]);
  const [us, ks, out] = [backend.floats(u!), backend.floats(k!), backend.floats(y)];
  const skip = D && backend.floats(D);
  backend.launch(() => {
    const size = paddedLength(l, m);
    for (let c = 0; c < d; c++) {
      const filter = filterSpectrum(ks.subarray(c * m, (c + 1) * m), Math.min(m, l), size);
      for (let i = 0; i < b; i += 2) {
        const levels = pairLevels(us, b, l, d, i, c);
        const spectrum = pairSpectrum(
          us,
          b,
          l,
          d,
          i,
          c,
          size,
          levels.map(({ to }) => to),
        );
        const { re, im } = productInTime(filter, spectrum, false);
        for (let row = i; row < Math.min(i + 2, b); row++) {
          const part = row === i ? re : im;
          for (let t = 0; t < l; t++) {
            const at = (row * l + t) * d + c;
            out[at] = part[t]! * levels[row - i]!.back + (skip ? skip[c]! * us[at]! : 0);
          }
        }
      }
    }
  });
  return [y];
}
