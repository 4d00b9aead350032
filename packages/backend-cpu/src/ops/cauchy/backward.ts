import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { multipoleBackward, usesMultipole } from "./multipole.ts";

/**
 * With r = 1 / (z - w): dv = sum_t conj(r) dy, dw = sum_t conj(v r^2) dy. The second term of each pair is the first with v and w
 * conjugated, so that its share of the two gradients is conjugated back. Term by term, or by the fast multipole method where that is faster.
 */
export function cauchyGrad(backend: CpuBackend, { v, w, z, dY }: KernelInputs): TensorInfo[] {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const grads = [backend.output(v!.shape), backend.output(w!.shape)];
  const [dV, dW] = grads.map((grad) => backend.floats(grad)) as [Float32Array, Float32Array];
  const [weights, poles, nodes, dy] = [backend.floats(v!), backend.floats(w!), backend.floats(z!), backend.floats(dY!)];
  backend.launch(() => {
    if (usesMultipole("backward", { h, n, l }, poles, nodes))
      return multipoleBackward({ h, n, l }, weights, poles, nodes, dy, dV, dW);
    for (let i = 0; i < h; i++) {
      for (let at = 2 * n * i; at < 2 * n * (i + 1); at += 2) {
        const [vRe, vIm] = [weights[at]!, weights[at + 1]!];
        let [gvRe, gvIm, gwRe, gwIm] = [0, 0, 0, 0];
        for (let t = 0; t < l; t++) {
          const [gRe, gIm] = [dy[2 * (i * l + t)]!, dy[2 * (i * l + t) + 1]!];
          const dRe = nodes[2 * t]! - poles[at]!;
          for (const sign of [1, -1]) {
            const dIm = nodes[2 * t + 1]! - sign * poles[at + 1]!;
            const scale = 1 / (dRe * dRe + dIm * dIm);
            const [rRe, rIm] = [dRe * scale, -dIm * scale];
            const aRe = rRe * gRe + rIm * gIm; // conj(r) g
            const aIm = rRe * gIm - rIm * gRe;
            gvRe += aRe;
            gvIm += sign * aIm;
            const uRe = vRe * rRe - sign * vIm * rIm; // v r, or conj(v) r
            const uIm = vRe * rIm + sign * vIm * rRe;
            gwRe += uRe * aRe + uIm * aIm; // conj(v r) conj(r) g
            gwIm += sign * (uRe * aIm - uIm * aRe);
          }
        }
        dV[at] = gvRe;
        dV[at + 1] = gvIm;
        dW[at] = gwRe;
        dW[at + 1] = gwIm;
      }
    }
  });
  return grads;
}
