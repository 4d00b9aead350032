import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Places of the largest of each row. */
export const kernels: KernelTable<WebGpuBackend> = {
  topK: (backend, { x }, attrs) => {
    const [n, k] = [x!.shape.at(-1)!, attrs.k as number];
    const rows = sizeOf(x!.shape) / n;
    const y = backend.output([...x!.shape.slice(0, -1), k], "int32");
    if (rows > 0) backend.run("topK/topK", { params: { rows, n, k }, buffers: { x: x!, y }, grid: foldGrid(rows) });
    return y;
  },
};
