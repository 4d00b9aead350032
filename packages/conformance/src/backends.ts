import { BackendError, registerBackend, type BackendDefinition } from "@statespace/core";
import { registeredBackends } from "@statespace/core/backend";

/** Backends this repository has, in the order of tables. */
export const BACKENDS = ["cpu", "wasm", "webgpu"] as const;

type Make = () => Promise<BackendDefinition>;

const cpu: Make = async () => (await import("@statespace/backend-cpu")).cpuBackend();
const wasm =
  (options?: object): Make =>
  async () =>
    (await import("@statespace/backend-wasm")).wasmBackend(options);
const webgpu =
  (options?: object): Make =>
  async () =>
    (await import("@statespace/backend-webgpu")).webGpuBackend(options);

/** Splits even what is too small to be worth it, so that every kernel is shared out. */
const threaded = (threads: number): object => ({ threads, parallelWork: 0 });

/** By name; beside the three, each of them in a form that a visitor's machine may bring about. */
const forms: Readonly<Record<string, Make>> = {
  cpu,
  wasm: wasm(),
  "wasm-plain": wasm({ flavour: "plain" }),
  "wasm-relaxed": wasm({ flavour: "relaxed" }),
  "wasm-1-thread": wasm(threaded(1)),
  "wasm-2-threads": wasm(threaded(2)),
  "wasm-3-threads": wasm(threaded(3)),
  "wasm-worker": wasm({ ...threaded(2), worker: true }),
  webgpu: webgpu(),
  "webgpu-minimal": webgpu({ minimal: true, subgroups: false }),
};

/** Registers backends by name, loading only what is asked for and not known yet. @throws BackendError for a name there is none of. */
export async function registerByName(names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (registeredBackends().includes(name)) continue;
    const make = forms[name];
    if (make === undefined)
      throw new BackendError(`there is no backend "${name}" (there are ${Object.keys(forms).join(", ")})`);
    registerBackend({ ...(await make()), name });
  }
}
