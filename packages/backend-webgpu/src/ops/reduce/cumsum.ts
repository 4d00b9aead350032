import type { DType } from "@statespace/core";
import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { around } from "../shared/around.ts";

/** Running sums along an axis. */
export const cumsum: Kernel<WebGpuBackend> = (backend, { x }, attrs) => {
  const [outer, extent, inner] = around(x!, attrs.axis as number);
  const y = backend.output(x!.shape, x!.dtype as DType);
  backend.runOver("reduce/cumsum", outer * inner, 64, {
    constants: { EXCLUSIVE: !!attrs.exclusive, REVERSE: !!attrs.reverse, INT: x!.dtype !== "float32" },
    params: { lines: outer * inner, extent, inner },
    buffers: { x: x!, y },
  });
  return y;
};
