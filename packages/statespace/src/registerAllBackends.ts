import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend } from "@statespace/core";

/** Backends from the fastest kind to the slowest: what `pickBackend` is given when nobody asked for one. */
export const PREFERENCE: readonly string[] = ["webgpu", "wasm", "cpu"];

/** Makes all three backends known by name; starts none. */
export function registerAllBackends(): void {
  registerBackend(webGpuBackend());
  registerBackend(wasmBackend());
  registerBackend(cpuBackend());
}
