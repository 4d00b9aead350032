import type { WasmBackend } from "../backend.ts";

/** A matrix in memory: address and strides in elements. A transposed one has them exchanged. */
export interface Operand {
  readonly at: number;
  readonly row: number;
  readonly column: number;
  /** Elements from one matrix of a batch to the next; 0 repeats it. */
  readonly batch?: number;
}

export interface Product {
  readonly a: Operand; // [m, k]
  readonly b: Operand; // [k, n]
  readonly c: number; // [m, n], rows dense
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Address of [n], added to every row; 0 for none. */
  readonly bias?: number;
  readonly batch?: number;
  /** Format of b where it is a packed weight [n, k] (FORMAT_NUMBERS). */
  readonly format?: number;
}

/** C = A B + bias, for each matrix of the batch. */
export function gemm(backend: WasmBackend, { a, b, c, m, n, k, bias = 0, batch = 1, format = 0 }: Product): void {
  if (m * n * batch === 0) return;
  const args = [
    a.at,
    b.at,
    c,
    bias,
    m,
    n,
    k,
    a.row,
    a.column,
    b.row,
    b.column,
    n,
    0,
    batch,
    a.batch ?? 0,
    b.batch ?? 0,
    m * n,
    format,
  ];
  backend.call("gemm", args, 2 * batch * m * n * k);
}
