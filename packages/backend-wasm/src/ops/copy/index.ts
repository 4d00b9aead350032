import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Copies the source over the destination, in place. */
export function copy(backend: WasmBackend, { destination, source }: KernelInputs): TensorInfo[] {
  const count = sizeOf(source!.shape);
  call.copyWords(backend, { out: destination!, from: source!, count }, count);
  return [];
}
