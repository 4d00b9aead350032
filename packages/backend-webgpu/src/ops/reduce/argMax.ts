import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { around } from "../shared/around.ts";

/** Index of the largest element along an axis. */
export const argMax: Kernel<WebGpuBackend> = (backend, { x }, attrs) => {
  const axis = attrs.axis as number;
  const [outer, extent, inner] = around(x!, axis);
  const y = backend.output(
    x!.shape.filter((_, i) => i !== axis),
    "int32",
  );
  backend.run("reduce/argMax", {
    constants: { INT: x!.dtype !== "float32", WG: Math.min(extent > 4096 ? 1024 : 256, backend.traits.maxInvocations) },
    params: { rows: outer * inner, extent, inner },
    buffers: { x: x!, y },
    grid: foldGrid(outer * inner),
  });
  return y;
};
