import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Sum of squares, a scalar. */
function sumSquares(backend: WasmBackend, { x }: KernelInputs): TensorInfo {
  const y = backend.output([]);
  const count = sizeOf(x!.shape);
  call.sumSquares(backend, { y, x: x!, count }, count);
  return y;
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { sumSquares };
