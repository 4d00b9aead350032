import { BackendError } from "../errors.ts";
import {
  isRunning,
  isStarted,
  kernelsOf,
  runningBackend,
  startBackend,
  stopBackend,
  type AnyBackend,
  type BackendDefinition,
} from "./registry.ts";
import { makeTaskLocal, type RunWith, type TaskLocal } from "./taskLocal.ts";

/** A backend by the name it runs under, or itself. */
export type BackendChoice = string | AnyBackend;

/** The default of the program, or of one task. */
interface Default {
  backend: AnyBackend | undefined;
}

const ofProgram: Default = { backend: undefined };
/** Made by the first `withBackend`. */
let ofTask: TaskLocal<Default> | undefined;

function present(): Default {
  return ofTask?.get() ?? ofProgram;
}

/** The default, or what runs in its place since it was recovered. */
function latestDefault(): AnyBackend | undefined {
  return present().backend?.latest;
}

/** Name of the default backend, if any. */
export function currentBackendName(): string | undefined {
  const backend = latestDefault();
  return backend?.running ? backend.name : undefined;
}

/**
 * The default backend: where creators that are told nothing else make their tensors.
 * @throws BackendError when none is set; DeviceLostError where its device is gone.
 */
export function currentBackend(): AnyBackend {
  const backend = latestDefault();
  if (!backend?.running)
    throw backend?.lost ?? new BackendError("no backend is set: await setBackend(...) or pickBackend(...) first");
  return backend;
}

/** The backend that was chosen, by default the default. @throws BackendError when it does not run; DeviceLostError where its device is gone. */
export function chosenBackend(choice: BackendChoice | undefined): AnyBackend {
  if (choice === undefined) return currentBackend();
  if (typeof choice === "string") return runningBackend(choice);
  const { latest } = choice;
  if (!latest.running) throw latest.lost ?? new BackendError(`${choice.name}: the backend was stopped`);
  return latest;
}

/**
 * Starts a backend (once) and makes it the default from here on: where creators make their tensors. Tensors stay where they
 * are, and ops run where their inputs are. Inside `withBackend` it is that task's default that changes.
 * @throws BackendError when the name is not registered, runs with other options, or the machine cannot run it; the previous default stays.
 */
export async function setBackend(backend: string | BackendDefinition): Promise<void> {
  if (ofTask?.isCertain() === false)
    throw new BackendError(
      "setBackend: a withBackend is under way, and this platform cannot tell whether it is the caller's; call it before or after",
    );
  const target = present();
  target.backend = await startBackend(backend);
}

/**
 * Starts the first backend of the list that this machine can run, sets it, and returns its name. One that is emulated (a graphics card made
 * of software) comes after those that are not. @throws BackendError with every reason when none can.
 */
export async function pickBackend(preference: readonly string[]): Promise<string> {
  const reasons: string[] = [];
  /** Ran here, in software; started for this question alone, unless it ran before. */
  const emulated: { readonly name: string; readonly ranBefore: boolean }[] = [];
  const choose = async (name: string): Promise<string> => {
    await setBackend(name);
    for (const other of emulated) if (other.name !== name && !other.ranBefore) stopBackend(other.name);
    return name;
  };
  for (const name of preference) {
    try {
      const ranBefore = isStarted(name);
      if (!(await startBackend(name)).emulated) return await choose(name);
      emulated.push({ name, ranBefore });
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (emulated.length > 0) return choose(emulated[0]!.name);
  throw new BackendError(`pickBackend: none of [${preference.join(", ")}] runs here\n  ${reasons.join("\n  ")}`);
}

/** `withBackend` as a function inside it is given it: known to be nested, also after an await. */
export type WithBackend = <T>(
  backend: string | BackendDefinition | AnyBackend,
  run: (nested: WithBackend) => T | Promise<T>,
) => Promise<T>;

/**
 * Runs a function with a default backend of its own; the default outside stays what it is, also while the function waits.
 * Two at once keep each their own where the platform can tell tasks apart (Node, Deno, Bun; `AsyncContext`). Elsewhere an
 * overlap is refused; calls nested after an await go through the function's argument there.
 * @throws BackendError when the backend cannot start, or for an overlap that cannot be kept apart.
 */
export const withBackend: WithBackend = (backend, run) => {
  ofTask ??= makeTaskLocal<Default>();
  return enter(ofTask.run, backend, run);
};

function enter<T>(
  runWith: RunWith<Default>,
  backend: string | BackendDefinition | AnyBackend,
  run: (nested: WithBackend) => T | Promise<T>,
): Promise<T> {
  // The frame opens at once, before the backend has started, so that an overlap is seen whatever the order of starts.
  const slot: Default = { backend: present().backend };
  try {
    return runWith(slot, async ({ nest, resume }) => {
      slot.backend = isRunning(backend) ? chosenBackend(backend) : await startBackend(backend);
      return await resume(() => run((inner, nested) => enter(nest, inner, nested)));
    });
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/** True when a backend that is registered, by default the one that is set, has a kernel. */
export function hasKernel(kernelName: string, backendName: string | undefined = currentBackendName()): boolean {
  return backendName !== undefined && kernelsOf(backendName)?.[kernelName] !== undefined;
}
