import type { DType } from "@statespace/core";
import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Picks between two operands, element by element. */
export const where: Kernel<WebGpuBackend> = (backend, { condition, t, e }) => {
  const y = backend.output(t!.shape, t!.dtype as DType);
  const size = sizeOf(t!.shape);
  backend.runOver("make/where", size, 256, {
    params: { size },
    buffers: { condition: condition!, t: t!, e: e!, y },
  });
  return y;
};
