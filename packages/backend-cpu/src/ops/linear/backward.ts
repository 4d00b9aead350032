import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { gemm, rowsOf } from "../../gemm.ts";

/** dX = dY W; dW = dY^T X; dBias = the sum of dY over its rows. */
export function linearGrad(backend: CpuBackend, { x, weight, bias, dY }: KernelInputs): TensorInfo[] {
  const [n, k] = weight!.shape as [number, number];
  const m = dY!.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const grads = [backend.output(x!.shape), backend.output([n, k]), ...(bias ? [backend.output([n])] : [])];
  const [dX, dWeight, dBias] = grads.map((grad) => backend.floats(grad));
  const [xs, weights, dy] = [backend.floats(x!), backend.floats(weight!), backend.floats(dY!)];
  backend.launch(() => {
    gemm({ m, n: k, k: n, a: rowsOf(dy, n, 0, n, 1), b: rowsOf(weights, n, 0, 1, k), out: dX! });
    gemm({ m: n, n: k, k: m, a: rowsOf(dy, m, 0, 1, n), b: rowsOf(xs, m, 0, 1, k), out: dWeight! });
    if (dBias === undefined) return;
    const sums = new Float64Array(n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) sums[j]! += dy[i * n + j]!;
    dBias.set(sums);
  });
  return grads;
}
