import { registerBackend, setBackend } from "@statespace/core";
import type { BackendName } from "./backendNames.ts";

/** Loads a backend's code, starts it and sets it. @throws BackendError where this browser cannot run it. */
export async function startBackend(name: BackendName, threads?: number): Promise<void> {
  if (name === "wasm") registerBackend((await import("@statespace/backend-wasm")).wasmBackend(threads === undefined ? {} : { threads }));
  else if (name === "webgpu") registerBackend((await import("@statespace/backend-webgpu")).webGpuBackend());
  else registerBackend((await import("@statespace/backend-cpu")).cpuBackend());
  await setBackend(name);
}
