import { BackendError } from "../errors.ts";
import type { StatespaceBackend } from "./backend.ts";
import type { KernelTable } from "./kernel.ts";

/** A running backend, whatever the type of its buffers. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyBackend = StatespaceBackend<any, any>;

/** How a backend introduces itself: `registerBackend(cpuBackend())`. */
export interface BackendDefinition<Options extends object = object> {
  /** Public name, as in `setBackend("cpu")`. Another name lets two of one kind run at once. */
  readonly name: string;
  /** What it is started with. */
  readonly options?: Options;
  /**
   * Starts it with the definition's options. A function of its own for each kind of backend, not for each definition,
   * so that two definitions that mean the same can be seen to be the same.
   * @throws BackendError where the machine cannot run it, saying what is missing.
   */
  create(options?: Options): AnyBackend | Promise<AnyBackend>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly kernels: KernelTable<any>;
}

interface Start {
  readonly definition: BackendDefinition;
  readonly instance: Promise<AnyBackend>;
  cancelled: boolean;
}

const definitions = new Map<string, BackendDefinition>();
const running = new Map<string, { readonly definition: BackendDefinition; readonly instance: AnyBackend }>();
/** Starts under way: two calls at once share one. */
const starting = new Map<string, Start>();
/** Backends whose device went away, and that none runs in place of yet. */
const gone = new Map<string, AnyBackend>();
/** What comes back by itself once a backend was recovered. */
const returning = new Set<() => Promise<void>>();
/** Milliseconds until a device is asked for again: a driver that just restarted may not have one yet. */
const REOPEN_DELAYS = [100, 500, 2000];

/**
 * Has a function called whenever a backend was recovered, so that what lay on it can come back. It must see for itself whether that
 * concerns it, and tell of a failure when it is used. @returns what ends that
 */
export function onRecovery(comeBack: () => Promise<void>): () => void {
  returning.add(comeBack);
  return () => void returning.delete(comeBack);
}

/**
 * Makes a backend known by name; starts nothing. Registering a name again replaces a backend that is not running.
 * @throws BackendError when a backend of this name runs that was started from another definition.
 */
export function registerBackend(definition: BackendDefinition): void {
  const { name } = definition;
  const present = running.get(name) ?? starting.get(name);
  if (present !== undefined) refuseAnother("registerBackend", present.definition, definition);
  definitions.set(name, definition);
}

/** Names that `setBackend` knows. */
export function registeredBackends(): string[] {
  return [...definitions.keys()];
}

/** Kernels of a registered backend. */
export function kernelsOf(name: string): KernelTable | undefined {
  return definitions.get(name)?.kernels;
}

/**
 * Starts a backend (once) without making it the default, for creators and models that name their backend.
 * @throws BackendError when the name is not registered, runs with other options, or the machine cannot run it.
 */
export async function startBackend(backend: string | BackendDefinition): Promise<AnyBackend> {
  if (typeof backend !== "string") registerBackend(backend);
  const name = typeof backend === "string" ? backend : backend.name;
  return running.get(name)?.instance ?? (starting.get(name) ?? begin(name)).instance;
}

/** Whether a backend of this name runs, or is being started. */
export function isStarted(name: string): boolean {
  return running.has(name) || starting.has(name);
}

/** A backend that runs, by its name. @throws BackendError when none of this name does. */
export function runningBackend(name: string): AnyBackend {
  const found = running.get(name);
  if (found === undefined)
    throw (
      gone.get(name)?.lost ??
      new BackendError(
        `no backend runs as "${name}" (running: ${[...running.keys()].join(", ") || "none"}): await startBackend("${name}") first`,
      )
    );
  return found.instance;
}

function begin(name: string): Start {
  const definition = definitions.get(name);
  if (definition === undefined) {
    const known = registeredBackends().join(", ") || "none";
    throw new BackendError(
      `setBackend: "${name}" is not registered (registered: ${known}); call registerBackend first`,
    );
  }
  const start: Start = {
    definition,
    cancelled: false,
    instance: open(definition).then((instance) => {
      starting.delete(name);
      if (start.cancelled) {
        instance.detach();
        throw new BackendError(`setBackend: ${name} was stopped while it started`);
      }
      running.set(name, { definition, instance });
      gone.get(name)?.succeed(instance);
      gone.delete(name);
      return instance;
    }),
  };
  start.instance.catch(() => starting.get(name) === start && starting.delete(name));
  starting.set(name, start);
  return start;
}

async function open(definition: BackendDefinition): Promise<AnyBackend> {
  try {
    const instance = await definition.create(definition.options);
    instance.attach(definition.name, definition.kernels, {
      forget: () => forget(instance),
      reopen: () => reopen(definition),
      bringBack,
    });
    await instance.ready();
    if (instance.lost !== undefined) throw instance.lost;
    return instance;
  } catch (error) {
    if (error instanceof BackendError) throw error;
    throw new BackendError(`setBackend: ${definition.name} did not start: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Its device went away. */
function forget(instance: AnyBackend): void {
  if (running.get(instance.name)?.instance === instance) {
    running.delete(instance.name);
    gone.set(instance.name, instance);
  }
  instance.detach();
}

async function reopen(definition: BackendDefinition): Promise<AnyBackend> {
  for (const delay of REOPEN_DELAYS) {
    try {
      return await startBackend(definition);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
  return startBackend(definition);
}

/** Waits for all that comes back; what cannot tells whoever uses it next. */
async function bringBack(): Promise<void> {
  for (const comeBack of returning) await comeBack().catch(() => undefined);
}

/**
 * Stops a backend and forgets its tensors; `setBackend` starts it anew.
 * Nothing happens when it does not run. Where it was the default, none is set.
 * @param backend its name, its definition, or the running backend itself.
 * @throws BackendError for a definition of this name that is not the one that runs.
 */
export function stopBackend(backend: string | BackendDefinition | AnyBackend): void {
  const name = typeof backend === "string" ? backend : backend.name;
  const present = running.get(name) ?? starting.get(name);
  if (present === undefined) return;
  if (isRunning(backend)) {
    // A backend that was stopped before may still be told that its device is lost, while another has its name.
    if (running.get(name)?.instance !== backend) return;
  } else if (typeof backend !== "string") {
    refuseAnother("stopBackend", present.definition, backend);
  }
  const start = starting.get(name);
  if (start !== undefined) start.cancelled = true;
  const stopped = running.get(name);
  running.delete(name);
  stopped?.instance.detach();
}

/** Tells a backend from its name and its definition. */
export function isRunning(backend: string | BackendDefinition | AnyBackend): backend is AnyBackend {
  return typeof backend === "object" && !("create" in backend);
}

function refuseAnother(caller: string, present: BackendDefinition, asked: BackendDefinition): void {
  if (present === asked) return;
  const sameOptions = equal(present.options ?? {}, asked.options ?? {});
  if (sameOptions && present.create === asked.create && present.kernels === asked.kernels) return;
  const difference = sameOptions
    ? "was started from another definition"
    : `runs with ${show(present.options)}, not with ${show(asked.options)}`;
  throw new BackendError(
    `${caller}: "${present.name}" ${difference}; stopBackend("${present.name}") first, or give the other a name of its own`,
  );
}

function show(options: object = {}): string {
  return JSON.stringify(options, (_, value: unknown) => (typeof value === "function" ? "(function)" : value));
}

/** Options are plain data; functions and class instances among them are the same or they are not. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => equal(a[name], b[name]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
