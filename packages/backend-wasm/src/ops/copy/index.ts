import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";

/** Copies the source over the destination, in place. */
function copy(backend: WasmBackend, { destination, source }: KernelInputs): TensorInfo[] {
  const count = sizeOf(source!.shape);
  call.copyWords(backend, { out: destination!, from: source!, count }, count);
  return [];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { copy };
