import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

/** Sum of squares, a scalar. */
export function sumSquares(backend: WasmBackend, { x }: KernelInputs): TensorInfo {
  const y = backend.output([]);
  backend.call("sumSquares", [backend.at(y), backend.at(x!), sizeOf(x!.shape)], sizeOf(x!.shape));
  return y;
}
