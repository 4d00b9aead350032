import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { gemm, rowsOf } from "../../gemm.ts";

const matMul: Kernel<CpuBackend> = (backend, { a, b }, { transposeA, transposeB }) => {
  const [countA, rowsA, columnsA] = a!.shape as [number, number, number];
  const [countB, rowsB, columnsB] = b!.shape as [number, number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transposeB ? rowsB : columnsB;
  const count = countA === 1 ? countB : countA;
  const y = backend.output([count, m, n]);
  const [left, right, out] = [backend.floats(a!), backend.floats(b!), backend.floats(y)];
  backend.launch(() => {
    for (let i = 0; i < count; i++) {
      const atA = countA === 1 ? 0 : i * m * k;
      const atB = countB === 1 ? 0 : i * n * k;
      gemm({
        m,
        n,
        k,
        a: transposeA ? rowsOf(left, k, atA, 1, m) : rowsOf(left, k, atA, k, 1),
        b: transposeB ? rowsOf(right, k, atB, k, 1) : rowsOf(right, k, atB, 1, n),
        out,
        offset: i * m * n,
      });
    }
  });
  return y;
};

export const kernels: KernelTable<CpuBackend> = { matMul };
