import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import { ifft } from "@statespace/core/math";
import type { CpuBackend } from "../../backend.ts";

/** The spectrum's other half is its conjugate mirror image; then one complex inverse transform a row. */
export function inverseRealFft(backend: CpuBackend, { x }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, m] = x!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  const [xs, out] = [backend.floats(x!), backend.floats(y)];
  backend.launch(() => {
    for (let i = 0; i < h; i++) {
      const [re, im] = [new Float64Array(l), new Float64Array(l)];
      for (let k = 0; k < m; k++) {
        const alone = k === 0 || 2 * k === l;
        re[k] = xs[2 * (i * m + k)]!;
        im[k] = alone ? 0 : xs[2 * (i * m + k) + 1]!;
        if (alone) continue;
        re[l - k] = re[k]!;
        im[l - k] = -im[k]!;
      }
      ifft(re, im);
      out.set(re, i * l);
    }
  });
  return [y];
}
