import type { KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { gemm, type Operand } from "./gemm.ts";

function operand(tensor: TensorInfo, transposed: unknown): Operand {
  const [count, rows, columns] = tensor.shape as [number, number, number];
  const batch = count === 1 ? 0 : rows * columns;
  return transposed ? { tensor, row: 1, column: columns, batch } : { tensor, row: columns, column: 1, batch };
}

/** The batched product; transposition is a choice of strides. */
export const kernels: KernelTable<WasmBackend> = {
  matMul: (backend, { a, b }, { transposeA, transposeB }) => {
    const [countA, rowsA, colsA] = a!.shape as [number, number, number];
    const [countB, rowsB, colsB] = b!.shape as [number, number, number];
    const [m, k] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
    const n = transposeB ? rowsB : colsB;
    const batch = Math.max(countA, countB);
    const c = backend.output([batch, m, n]);
    gemm(backend, { a: operand(a!, transposeA), b: operand(b!, transposeB), c, m, n, k, batch });
    return c;
  },
};
