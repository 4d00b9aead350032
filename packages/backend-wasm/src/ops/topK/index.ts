import type { KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Places of the largest of each row. */
export const kernels: KernelTable<WasmBackend> = {
  topK: (backend, { x }, attrs) => {
    const [n, k] = [x!.shape.at(-1)!, attrs.k as number];
    const y = backend.output([...x!.shape.slice(0, -1), k], "int32");
    const size = sizeOf(x!.shape);
    call.topK(backend, { y, x: x!, rows: size / n, n, k }, 2 * size);
    return y;
  },
};
