import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";
import { gemm } from "../matMul/gemm.ts";
import { sizeOf } from "../shapes.ts";
import { formatNumber } from "./packed.ts";

/** y = x W^T + bias: one product with the bias added to the first block. */
function linear(backend: WasmBackend, { x, weight, bias }: KernelInputs): TensorInfo {
  const [n, k] = weight!.shape as [number, number];
  const m = sizeOf(x!.shape) / k;
  const y = backend.output([...x!.shape.slice(0, -1), n]);
  const format = formatNumber(backend.formatOf(weight!));
  if (format !== constants.FORMAT_F32) {
    call.linearPacked(backend, { y, x: x!, weight: weight!, bias, m, n, k, format }, 2 * m * n * k);
    return y;
  }
  const a = { tensor: x!, row: k, column: 1 };
  const b = { tensor: weight!, row: 1, column: k };
  gemm(backend, { a, b, c: y, bias, m, n, k });
  return y;
}

/** dx = dY W in whole numbers, of a packed W. */
function roundedGrad(backend: WasmBackend, weight: TensorInfo, dY: TensorInfo): TensorInfo {
  const [n, k] = weight.shape as [number, number];
  const m = sizeOf(dY.shape) / n;
  const dx = backend.output([...dY.shape.slice(0, -1), k]);
  const format = formatNumber(backend.formatOf(weight));
  call.linearTurned(backend, { y: dx, x: dY, weight, m, n, k, format }, 2 * m * n * k);
  return dx;
}

/** dx = dY W, dW = dY^T x, dbias = column sums of dY; of a packed W, without x, dx alone. */
function linearGrad(backend: WasmBackend, { x, weight, bias, dY }: KernelInputs): TensorInfo[] {
  if (x === undefined) return [roundedGrad(backend, weight!, dY!)];
  const [n, k] = weight!.shape as [number, number];
  const m = sizeOf(x.shape) / k;
  const { dx, dWeight, dBias } = gradientsLike(backend, { dx: x, dWeight: weight!, dBias: bias });
  const [rows, columns] = [
    { tensor: dY!, row: n, column: 1 },
    { tensor: dY!, row: 1, column: n },
  ];
  gemm(backend, { a: rows, b: { tensor: weight!, row: k, column: 1 }, c: dx, m, n: k, k: n });
  gemm(backend, { a: columns, b: { tensor: x, row: k, column: 1 }, c: dWeight, m: n, n: k, k: m });
  if (dBias) call.sumAxis(backend, { y: dBias, x: dY!, outer: 1, count: m, inner: n }, m * n);
  return present({ dx, dWeight, dBias });
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { linear, linearGrad };
