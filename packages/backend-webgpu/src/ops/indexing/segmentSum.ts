import type { DType } from "@statespace/core";
import type { Kernel, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { fillWith } from "../make/fill.ts";
import { forRowParts } from "../shared/rowParts.ts";
import { sizeOf } from "../shared/sizeOf.ts";

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
  const WG = Math.min(256, backend.traits.maxInvocations);
  forRowParts(backend, out, (part, first, count) =>
    backend.run("indexing/segmentSum", {
      constants: { WG, INT: x.dtype !== "float32" },
      params: { rows, width, first, count },
      buffers: { x, ids, y: part },
      grid: [gridX, gridY, Math.min(16, Math.ceil(width / WG))],
    }),
  );
}

/** Sums of the rows that share an id. */
export const segmentSum: Kernel<WebGpuBackend> = (backend, { x, ids }, attrs) => {
  const [rows, ...rest] = x!.shape as [number, ...number[]];
  const y = backend.output([attrs.count as number, ...rest], x!.dtype as DType);
  addRowsById(backend, x!, ids!, rows, sizeOf(rest), y);
  return y;
};
