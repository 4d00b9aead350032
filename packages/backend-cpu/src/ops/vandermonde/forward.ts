import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** y_t = 2 Re sum_n C_n exp(t logABar_n); every term anew in float64, so that no error builds up along t. */
export function vandermonde(backend: CpuBackend, { C, logABar }: KernelInputs, { seqLen }: KernelAttrs): TensorInfo[] {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  const [cs, logs, out] = [backend.floats(C!), backend.floats(logABar!), backend.floats(y)];
  backend.launch(() => {
    for (let i = 0; i < h; i++) {
      for (let t = 0; t < l; t++) {
        let sum = 0;
        for (let at = 2 * n * i; at < 2 * n * (i + 1); at += 2) {
          const phase = t * logs[at + 1]!;
          sum += Math.exp(t * logs[at]!) * (cs[at]! * Math.cos(phase) - cs[at + 1]! * Math.sin(phase));
        }
        out[i * l + t] = 2 * sum;
      }
    }
  });
  return [y];
}
