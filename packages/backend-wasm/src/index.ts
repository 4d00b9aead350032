import type { BackendDefinition } from "@statespace/core";
import { WasmBackend } from "./backend.ts";
import { wasmKernels } from "./ops/index.ts";
import { checkWasmOptions, type WasmOptions } from "./runtime/machine.ts";

export { WasmBackend, type WasmLaunch } from "./backend.ts";
export { wasmKernels } from "./ops/index.ts";
export { compileKernels, type Flavour } from "./runtime/binary.ts";
export type { WasmOptions } from "./runtime/machine.ts";

/**
 * The SIMD backend, for `registerBackend(wasmBackend())`: Node and every browser, threads where memory can be shared.
 * @throws ArgumentError for an option that there is not; from `setBackend`, BackendError saying what the machine lacks.
 */
export function wasmBackend(options: WasmOptions = {}): BackendDefinition<WasmOptions> {
  checkWasmOptions(options);
  return { name: "wasm", options, create: WasmBackend.start, kernels: wasmKernels };
}
