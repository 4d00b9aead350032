import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Softmax over the last axis. */
export const softmax: Kernel<WebGpuBackend> = (backend, { x }) => {
  const n = x!.shape.at(-1) ?? 1;
  const rows = sizeOf(x!.shape) / n;
  const y = backend.output(x!.shape);
  if (rows > 0)
    backend.run("reduce/softmax", {
      constants: { WG: Math.min(256, backend.traits.maxInvocations) },
      params: { rows, n },
      buffers: { x: x!, y },
      grid: foldGrid(rows),
    });
  return y;
};
