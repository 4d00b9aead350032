import { registerBackend } from "@statespace/core";
import { registeredBackends, startBackend as startRegistered, type AnyBackend } from "@statespace/core/backend";
import type { BackendName } from "./backendNames.ts";
import { fetched } from "./rpc.ts";

/** Loads a backend's code and makes it known, unless it is; starts nothing. @param threads of the first to load it in this worker @throws ChunkError where it cannot be fetched. */
export async function loadBackend(name: BackendName, threads?: number): Promise<void> {
  if (registeredBackends().includes(name)) return;
  const backend = await definitionOf(name, threads);
  // whoever asked meanwhile was first
  if (!registeredBackends().includes(name)) registerBackend(backend);
}

async function definitionOf(
  name: BackendName,
  threads: number | undefined,
): Promise<Parameters<typeof registerBackend>[0]> {
  if (name === "wasm")
    return (await fetched(import("@statespace/backend-wasm"))).wasmBackend(threads === undefined ? {} : { threads });
  if (name === "webgpu") return (await fetched(import("@statespace/backend-webgpu"))).webGpuBackend();
  return (await fetched(import("@statespace/backend-cpu"))).cpuBackend();
}

/** Loads a backend and starts it; others in the worker may use another one. @throws BackendError where this browser cannot run it. */
export async function startBackend(name: BackendName, threads?: number): Promise<AnyBackend> {
  await loadBackend(name, threads);
  return startRegistered(name);
}
