import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { multipoleForward, usesMultipole } from "./multipole.ts";

/** y_t = sum_n v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)), in float64; term by term, or by the fast multipole method where it is faster. */
export function cauchy(backend: CpuBackend, { v, w, z }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const y = backend.output([h, l, 2]);
  const [weights, poles, nodes, out] = [backend.floats(v!), backend.floats(w!), backend.floats(z!), backend.floats(y)];
  backend.launch(() => {
    if (usesMultipole("forward", { h, n, l }, poles, nodes))
      return multipoleForward({ h, n, l }, weights, poles, nodes, out);
    for (let i = 0; i < h; i++) {
      for (let t = 0; t < l; t++) {
        const [zRe, zIm] = [nodes[2 * t]!, nodes[2 * t + 1]!];
        let [re, im] = [0, 0];
        for (let at = 2 * n * i; at < 2 * n * (i + 1); at += 2) {
          const [vRe, vIm] = [weights[at]!, weights[at + 1]!];
          const dRe = zRe - poles[at]!;
          for (const sign of [1, -1]) {
            const dIm = zIm - sign * poles[at + 1]!;
            const scale = 1 / (dRe * dRe + dIm * dIm);
            re += (vRe * dRe + sign * vIm * dIm) * scale;
            im += (sign * vIm * dRe - vRe * dIm) * scale;
          }
        }
        out[2 * (i * l + t)] = re;
        out[2 * (i * l + t) + 1] = im;
      }
    }
  });
  return [y];
}
