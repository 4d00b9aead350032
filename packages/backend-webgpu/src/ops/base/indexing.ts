import type { DType, Kernel, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { forRowParts } from "../linear/parts.ts";
import { fillWith, sizeOf } from "./fill.ts";

const gather: Kernel<WebGpuBackend> = (backend, { x, indices }, attrs) => {
  const axis = attrs.axis as number;
  const [lead, tail] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
  const y = backend.output([...lead, ...indices!.shape, ...tail], x!.dtype as DType);
  const size = sizeOf(y.shape);
  backend.dispatchOver("base/gather", size, 256, {
    params: [size, sizeOf(indices!.shape), x!.shape[axis]!, sizeOf(tail), 0],
    bindings: [x, indices, y],
  });
  return y;
};

const oneHot: Kernel<WebGpuBackend> = (backend, { indices }, attrs) => {
  const depth = attrs.depth as number;
  const y = backend.output([...indices!.shape, depth]);
  const size = sizeOf(y.shape);
  backend.dispatchOver("base/gather", size, 256, {
    constants: { ONE_HOT: true },
    params: [size, sizeOf(indices!.shape), 1, depth],
    bindings: [undefined, indices, y],
  });
  return y;
};

/** Adds the rows of x [rows, width] into `out` [count, width] by id. */
export function addRowsById(
  backend: WebGpuBackend,
  x: TensorInfo,
  ids: TensorInfo,
  rows: number,
  width: number,
  out: TensorInfo,
): void {
  fillWith(backend, out, 0);
  if (rows * width === 0) return;
  const [gridX, gridY] = foldGrid(rows);
  forRowParts(backend, out, (part, first, count) =>
    backend.dispatch("base/segmentSum", {
      constants: { INT: x.dtype !== "float32" },
      params: [rows, width, first, count],
      bindings: [x, ids, part],
      grid: [gridX, gridY, Math.min(16, Math.ceil(width / 64))],
    }),
  );
}

const segmentSum: Kernel<WebGpuBackend> = (backend, { x, ids }, attrs) => {
  const [rows, ...rest] = x!.shape as [number, ...number[]];
  const y = backend.output([attrs.count as number, ...rest], x!.dtype as DType);
  addRowsById(backend, x!, ids!, rows, sizeOf(rest), y);
  return y;
};

/** Kernels that pick or add up rows by index. */
export const indexingKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  gather,
  oneHot,
  segmentSum,
};
