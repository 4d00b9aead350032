import { registerBackend, setBackend } from "@statespace/core";
import { registeredBackends } from "@statespace/core/backend";
import type { BackendName } from "./backendNames.ts";
import { fetched } from "./rpc.ts";

/** Loads a backend's code and makes it known, unless it is and any number of threads will do; starts nothing. @throws ChunkError where it cannot be fetched. */
export async function loadBackend(name: BackendName, threads?: number): Promise<void> {
  if (threads === undefined && registeredBackends().includes(name)) return;
  if (name === "wasm") {
    const { wasmBackend } = await fetched(import("@statespace/backend-wasm"));
    registerBackend(wasmBackend(threads === undefined ? {} : { threads }));
  } else if (name === "webgpu") registerBackend((await fetched(import("@statespace/backend-webgpu"))).webGpuBackend());
  else registerBackend((await fetched(import("@statespace/backend-cpu"))).cpuBackend());
}

/** Loads a backend, starts it and sets it. @throws BackendError where this browser cannot run it. */
export async function startBackend(name: BackendName, threads?: number): Promise<void> {
  await loadBackend(name, threads);
  await setBackend(name);
}
