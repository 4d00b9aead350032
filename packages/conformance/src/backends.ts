import { BackendError, registerBackend } from "@statespace/core";
import { registeredBackends } from "@statespace/core/backend";

/** Backends this repository has, in the order of tables. */
export const BACKENDS = ["cpu", "wasm", "webgpu"] as const;

/** Registers backends by name, loading only what is asked for and not known yet. @throws BackendError for a name there is none of. */
export async function registerByName(names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (registeredBackends().includes(name)) continue;
    if (name === "cpu") registerBackend((await import("@statespace/backend-cpu")).cpuBackend());
    else if (name === "wasm") registerBackend((await import("@statespace/backend-wasm")).wasmBackend());
    else if (name === "webgpu") registerBackend((await import("@statespace/backend-webgpu")).webGpuBackend());
    else throw new BackendError(`there is no backend "${name}" (there are ${BACKENDS.join(", ")})`);
  }
}
