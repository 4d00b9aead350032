import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Floats as words of two halves, and back. */
export const kernels: KernelTable<WebGpuBackend> = {
  toHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), x!.shape.at(-1)! / 2], "int32");
    const size = sizeOf(y.shape);
    backend.runOver("halves/pack", size, 256, { params: { size }, buffers: { x: x!, y } });
    return y;
  },
  fromHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), 2 * x!.shape.at(-1)!]);
    const size = sizeOf(x!.shape);
    backend.runOver("halves/unpack", size, 256, { params: { size }, buffers: { x: x!, y } });
    return y;
  },
};
