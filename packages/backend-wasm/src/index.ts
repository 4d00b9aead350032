import type { BackendDefinition } from "@statespace/core";
import { WasmBackend } from "./backend.ts";
import { wasmKernels } from "./ops/index.ts";
import type { WasmOptions } from "./runtime/machine.ts";

export { WasmBackend, type WasmLaunch } from "./backend.ts";
export { wasmKernels } from "./ops/index.ts";
export type { Flavour } from "./runtime/binary.ts";
export type { WasmOptions } from "./runtime/machine.ts";

/** The SIMD backend, for `registerBackend(wasmBackend())`: Node and every browser, threads where memory can be shared. */
export function wasmBackend(options: WasmOptions = {}): BackendDefinition<WasmOptions> {
  return { name: "wasm", options, create: WasmBackend.start, kernels: wasmKernels };
}
