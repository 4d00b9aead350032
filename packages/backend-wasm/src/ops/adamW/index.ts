import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

/** One AdamW step in place. */
export function adamW(backend: WasmBackend, { param, m, v, grad, hyper, gradScale }: KernelInputs): TensorInfo[] {
  const count = sizeOf(param!.shape);
  backend.call(
    "adamW",
    [
      backend.at(param!),
      backend.at(m!),
      backend.at(v!),
      backend.at(grad!),
      backend.at(hyper!),
      backend.maybeAt(gradScale),
      count,
    ],
    12 * count,
  );
  return [];
}
