import type { KernelTable } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { gemm, type Operand } from "../gemm.ts";

/** The batched product; transposition is a choice of strides. */
export const matMulKernels: KernelTable<WasmBackend> = {
  matMul: (backend, { a, b }, { transposeA, transposeB }) => {
    const [countA, rowsA, colsA] = a!.shape as [number, number, number];
    const [countB, rowsB, colsB] = b!.shape as [number, number, number];
    const [m, k] = transposeA ? [colsA, rowsA] : [rowsA, colsA];
    const n = transposeB ? rowsB : colsB;
    const batch = Math.max(countA, countB);
    const operand = (at: number, columns: number, transposed: unknown, step: number): Operand =>
      transposed ? { at, row: 1, column: columns, batch: step } : { at, row: columns, column: 1, batch: step };
    const out = backend.output([batch, m, n]);
    gemm(backend, {
      a: operand(backend.at(a!), colsA, transposeA, countA === 1 ? 0 : rowsA * colsA),
      b: operand(backend.at(b!), colsB, transposeB, countB === 1 ? 0 : rowsB * colsB),
      c: backend.at(out),
      m,
      n,
      k,
      batch,
    });
    return out;
  },
};
