import type { TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants } from "../../kernels.gen.ts";

/** A matrix in memory: its strides in elements. A transposed one has them exchanged. */
export interface Operand {
  readonly tensor: TensorInfo;
  readonly row: number;
  readonly column: number;
  /** Elements from one matrix of a batch to the next; 0 repeats it. */
  readonly batch?: number;
}

export interface Product {
  readonly a: Operand; // [m, k]
  readonly b: Operand; // [k, n]
  readonly c: TensorInfo; // [m, n]
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly bias?: TensorInfo | undefined; // [n], added to every row
  readonly batch?: number;
  /** Number of b's format where it is a packed weight [n, k]; its strides then mean nothing. */
  readonly format?: number;
}

/** C = A B + bias, for each matrix of the batch. */
export function gemm(
  backend: WasmBackend,
  { a, b, c, m, n, k, bias, batch = 1, format = constants.FORMAT_F32 }: Product,
): void {
  if (m * n * batch === 0) return;
  const strides = { rowA: a.row, columnA: a.column, rowB: b.row, columnB: b.column };
  const steps = { batch, strideA: a.batch ?? 0, strideB: b.batch ?? 0 };
  call.gemm(
    backend,
    { a: a.tensor, b: b.tensor, c, bias, m, n, k, ...strides, ...steps, format },
    2 * batch * m * n * k,
  );
}
