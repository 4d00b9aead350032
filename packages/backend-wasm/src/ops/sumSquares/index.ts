import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Sum of squares, a scalar. */
function sumSquares(backend: WasmBackend, { x }: KernelInputs): TensorInfo {
  const y = backend.output([]);
  const count = sizeOf(x!.shape);
  call.sumSquares(backend, { y, x: x!, count }, count);
  return y;
}

/** Sum of the squares of all entries of several tensors, a scalar: a sum each, then the sum of those. */
function squaredNorm(backend: WasmBackend, inputs: KernelInputs): TensorInfo {
  const xs = Object.values(inputs);
  const [sums, y] = [backend.output([xs.length]), backend.output([])];
  xs.forEach((x, i) => {
    const [one, count] = [backend.view(sums, [1], i), sizeOf(x!.shape)];
    call.sumSquares(backend, { y: one, x: x!, count }, count);
    backend.disposeData(one.dataId);
  });
  call.sumWhole(backend, { y, x: sums, count: xs.length }, xs.length);
  backend.disposeData(sums.dataId);
  return y;
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { sumSquares, squaredNorm };
