import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { gemm } from "./gemm.ts";

/** Batched matrix products. */
const matMul: Kernel<WebGpuBackend> = (backend, { a, b }, { transposeA, transposeB }) => {
  const [countA, rowsA, columnsA] = a!.shape as [number, number, number];
  const [countB, rowsB, columnsB] = b!.shape as [number, number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transposeB ? rowsB : columnsB;
  const batch = countA === 1 ? countB : countA;
  const y = backend.output([batch, m, n]);
  if (k === 0) fillWith(backend, y, 0);
  else
    gemm(
      backend,
      {
        m,
        n,
        k,
        transposeA: !!transposeA,
        transposeB: !!transposeB,
        batch,
        repeatA: countA === 1,
        repeatB: countB === 1,
      },
      a!,
      b!,
      y,
    );
  return y;
};

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { matMul };
