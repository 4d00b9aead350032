import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** The choices in the order of their experts. */
export interface Ordered {
  readonly starts: TensorInfo; // int32 [experts + 1]
  readonly order: TensorInfo; // int32 [count]
  readonly count: number;
}

/** Puts choices in the order of their experts; `releaseOrder` gives the memory back. */
export function inOrder(backend: WebGpuBackend, ids: TensorInfo, experts: number): Ordered {
  const count = sizeOf(ids.shape);
  const starts = backend.output([experts + 1], "int32");
  const order = backend.output([count], "int32");
  backend.run("expertLinear/order", {
    params: { count, experts },
    buffers: { ids, starts, order },
    grid: foldGrid(experts + 1),
  });
  return { starts, order, count };
}

export function releaseOrder(backend: WebGpuBackend, { starts, order }: Ordered): void {
  backend.release(starts, order);
}
