import type { Kernel, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { add } from "../binary/index.ts";
import { fillWith } from "../make/fill.ts";
import { gemm, takesWeight } from "../matMul/gemm.ts";
import { copyColumns, takeColumns } from "../movement/index.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { forRowParts } from "../shared/rowParts.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { cuttingItself } from "../splitting.ts";
import { gemv, isGemv } from "./gemv.ts";
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
  const shape = { m, n, k, transposeA: false, transposeB: true };
  if (isGemv(m, k, backend.formatOf(weight))) gemv(backend, m, n, k, x, weight, bias, y);
  else if (takesWeight(backend, shape, weight)) gemm(backend, shape, x, weight, y, bias);
  else unpacked(backend, weight, (whole) => gemm(backend, shape, x, whole, y, bias));
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
  const sum = add(backend, { a, b }, {}) as TensorInfo;
  backend.release(a, b);
  return sum;
}

/** A projection and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = {
  linear: cuttingItself(["weight"], linear),
  linearGrad: cuttingItself(["weight"], linearGrad),
};
