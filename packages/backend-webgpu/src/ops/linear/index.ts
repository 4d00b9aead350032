import type { Kernel, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith, sizeOf } from "../base/fill.ts";
import { elementwiseKernels } from "../base/elementwise.ts";
import { copyColumns, takeColumns } from "../base/movement.ts";
import { foldAxis, foldOps } from "../base/reduce.ts";
import { gemm } from "./gemm.ts";
import { wholeWords } from "./formats.ts";
import { gemv, gemvRows } from "./gemv.ts";
import { forRowParts } from "./parts.ts";
import { unpacked } from "./unpack.ts";

function product(
  backend: WebGpuBackend,
  m: number,
  x: TensorInfo,
  weight: TensorInfo,
  bias: TensorInfo | undefined,
  y: TensorInfo,
): void {
  const [n, k] = weight.shape as [number, number];
  if (m > 0 && m <= gemvRows && wholeWords(backend.formatOf(weight), k)) gemv(backend, m, n, k, x, weight, bias, y);
  else
    unpacked(backend, weight, (whole) =>
      gemm(backend, { m, n, k, transposeA: false, transposeB: true }, x, whole, y, bias),
    );
}

const linear: Kernel<WebGpuBackend> = (backend, { x, weight, bias }) => {
  const [n, k] = weight!.shape as [number, number];
  const y = backend.output([...x!.shape.slice(0, -1), n]);
  const m = sizeOf(x!.shape) / Math.max(1, k);
  if (k === 0) fillWith(backend, y, 0);
  else if (backend.formatOf(weight!) !== "f32" || 4 * n * k <= backend.traits.maxBinding)
    product(backend, m, x!, weight!, bias, y);
  else {
    forRowParts(backend, weight!, (part, first, rows) => {
      const partBias = bias && backend.view(bias, [rows], first);
      const columns = backend.output([m, rows]);
      product(backend, m, x!, part, partBias, columns);
      copyColumns(backend, columns, m, rows, y, n, first);
      backend.release(columns, ...(partBias ? [partBias] : []));
    });
  }
  return [y];
};

const linearGrad: Kernel<WebGpuBackend> = (backend, { x, weight, bias, dY }) => {
  const [n, k] = weight!.shape as [number, number];
  const m = sizeOf(dY!.shape) / n;
  const dW = backend.output(weight!.shape);
  let dX: TensorInfo | undefined;
  forRowParts(backend, weight!, (part, first, rows) => {
    const whole = rows === n;
    const dYPart = whole ? dY! : takeColumns(backend, dY!, m, n, first, rows);
    const dWPart = whole ? dW : backend.view(dW, [rows, k], first * k);
    const dXPart = backend.output(x!.shape);
    gemm(backend, { m, n: k, k: rows, transposeA: false, transposeB: false }, dYPart, part, dXPart);
    gemm(backend, { m: rows, n: k, k: m, transposeA: true, transposeB: false }, dYPart, x!, dWPart);
    if (!whole) backend.release(dYPart, dWPart);
    dX = dX ? added(backend, dX, dXPart) : dXPart;
  });
  const grads: TensorInfo[] = [dX!, dW];
  if (bias) {
    const dBias = backend.output(bias.shape);
    foldAxis(backend, foldOps.sum, dY!, 1, m, n, dBias);
    grads.push(dBias);
  }
  return grads;
};

/** The sum of two tensors that are given up for it. */
function added(backend: WebGpuBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const sum = elementwiseKernels.add!(backend, { a, b }, {}) as TensorInfo;
  backend.release(a, b);
  return sum;
}

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

/** Matrix products. */
export const linearKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  linear,
  linearGrad,
  matMul,
};
