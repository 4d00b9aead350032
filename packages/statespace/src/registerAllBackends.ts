import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { registerBackend } from "@statespace/core";
import { registeredBackends } from "@statespace/core/backend";

/** Backends from the fastest kind to the slowest: what `pickBackend` is given when nobody asked for one. */
export const PREFERENCE: readonly string[] = ["webgpu", "wasm", "cpu"];

/** Makes all three backends known by name, but for those that are known with options of their own; starts none. */
export function registerAllBackends(): void {
  const known = registeredBackends();
  for (const definition of [webGpuBackend(), wasmBackend(), cpuBackend()])
    if (!known.includes(definition.name)) registerBackend(definition);
}
