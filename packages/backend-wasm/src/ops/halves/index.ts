import type { KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Floats as words of two halves, and back. */
export const kernels: KernelTable<WasmBackend> = {
  toHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), x!.shape.at(-1)! / 2], "int32");
    const count = sizeOf(y.shape);
    call.toHalves(backend, { y, x: x!, count }, 2 * count);
    return y;
  },
  fromHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), 2 * x!.shape.at(-1)!]);
    const count = sizeOf(x!.shape);
    call.fromHalves(backend, { y, x: x!, count }, 2 * count);
    return y;
  },
};
