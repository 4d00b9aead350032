import { registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import type { StatespaceBackend } from "./backend.ts";
import { engine } from "./engine.ts";
import type { KernelInputs, KernelTable } from "./kernel.ts";

/** A running backend, whatever the type of its buffers. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyBackend = StatespaceBackend<any, any>;

/** How a backend introduces itself: `registerBackend(cpuBackend())`. */
export interface BackendDefinition {
  /** Public name, as in `setBackend("cpu")`. */
  readonly name: string;
  /** Starts it. @throws BackendError where the machine cannot run it, saying what is missing. */
  create(): AnyBackend | Promise<AnyBackend>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly kernels: KernelTable<any>;
}

const definitions = new Map<string, BackendDefinition>();
const running = new Map<string, AnyBackend>();
/** Starts under way: two calls at once share one. */
const starting = new Map<string, Promise<void>>();

// tfjs's own backends are called cpu, wasm and webgpu too, and both kinds may be loaded in one page.
const engineName = (name: string): string => `statespace-${name}`;

/** Makes a backend known by name; starts nothing. Registering a name again replaces a backend that is not running. */
export function registerBackend(definition: BackendDefinition): void {
  if (running.has(definition.name)) return;
  definitions.set(definition.name, definition);
}

/** Names that `setBackend` knows. */
export function registeredBackends(): string[] {
  return [...definitions.keys()];
}

/**
 * Starts a backend (once) and makes it the one that runs ops from here on. Tensors stay where they are.
 * @throws BackendError when the name is not registered or the machine cannot run it; the previous backend stays set.
 */
export async function setBackend(backend: string | BackendDefinition): Promise<void> {
  if (typeof backend !== "string") registerBackend(backend);
  const name = typeof backend === "string" ? backend : backend.name;
  if (!running.has(name)) {
    const started = starting.get(name) ?? start(name).finally(() => starting.delete(name));
    starting.set(name, started);
    await started;
  }
  await engine().setBackend(engineName(name));
}

async function start(name: string): Promise<void> {
  const definition = definitions.get(name);
  if (definition === undefined) {
    const known = registeredBackends().join(", ") || "none";
    throw new BackendError(
      `setBackend: "${name}" is not registered (registered: ${known}); call registerBackend first`,
    );
  }
  let instance: AnyBackend;
  try {
    instance = await definition.create();
    await instance.ready();
  } catch (error) {
    if (error instanceof BackendError) throw error;
    throw new BackendError(`setBackend: ${name} did not start: ${(error as Error).message}`, { cause: error });
  }
  for (const [kernelName, kernel] of Object.entries(definition.kernels)) {
    registerKernel({
      kernelName,
      backendName: engineName(name),
      kernelFunc: ({ inputs, attrs, backend }) =>
        kernel(backend as AnyBackend, inputs as unknown as KernelInputs, (attrs ?? {}) as never) as never,
    });
  }
  engine().registerBackend(engineName(name), () => instance);
  running.set(name, instance);
}

/**
 * Stops a backend and forgets its tensors; `setBackend` starts it anew. Used after a lost device.
 * The backend that was set before is unset if it was this one.
 */
export function stopBackend(name: string): void {
  const instance = running.get(name);
  if (instance === undefined) return;
  running.delete(name);
  for (const kernelName of Object.keys(definitions.get(name)!.kernels)) unregisterKernel(kernelName, engineName(name));
  engine().removeBackend(engineName(name));
}

/** Starts the first backend of the list that this machine can run, sets it, and returns its name. @throws BackendError with every reason when none can. */
export async function pickBackend(preference: readonly string[]): Promise<string> {
  const reasons: string[] = [];
  for (const name of preference) {
    try {
      await setBackend(name);
      return name;
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new BackendError(`pickBackend: none of [${preference.join(", ")}] runs here\n  ${reasons.join("\n  ")}`);
}

/** Runs a function under a backend and sets the previous one again, also after an error. */
export async function withBackend<T>(name: string, run: () => T | Promise<T>): Promise<T> {
  const previous = currentBackendName();
  await setBackend(name);
  try {
    return await run();
  } finally {
    if (previous !== undefined && currentBackendName() !== previous) await setBackend(previous);
  }
}

/** Name of the backend that is set, if any. */
export function currentBackendName(): string | undefined {
  const name = engine().backendName;
  return name?.startsWith("statespace-") ? name.slice("statespace-".length) : undefined;
}

/** The backend that is set. @throws BackendError when none is. */
export function currentBackend(): AnyBackend {
  const name = currentBackendName();
  const instance = name === undefined ? undefined : running.get(name);
  if (instance === undefined)
    throw new BackendError("no backend is set: await setBackend(...) or pickBackend(...) first");
  return instance;
}

/** True when the backend that is set has a kernel. */
export function hasKernel(kernelName: string, backendName: string = currentBackendName() ?? ""): boolean {
  return definitions.get(backendName)?.kernels[kernelName] !== undefined;
}
