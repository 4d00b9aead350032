import { BackendError } from "../errors.ts";

/** Runs a function with a value that it, and what it awaits, sees. */
export type RunWith<T> = <R>(value: T, run: (inside: Inside<T>) => R) => R;

/** What a function that runs with a value can do from inside, also after an await. */
export interface Inside<T> {
  /** As `run`, known to be nested. */
  readonly nest: RunWith<T>;
  /** Goes on with a function that is known to belong here. */
  resume<R>(fn: () => R): R;
}

/** A value that belongs to an asynchronous task: two tasks at once see each their own. */
export interface TaskLocal<T> {
  get(): T | undefined;
  readonly run: RunWith<T>;
  /** Whether the caller is known to be the task that `get` answers for. */
  isCertain(): boolean;
}

interface Variable<T> {
  getStore?(): T | undefined;
  get?(): T | undefined;
  run<R>(value: T, run: () => R): R;
}

interface Platform {
  readonly AsyncContext?: { readonly Variable: new <T>() => Variable<T> };
  readonly process?: {
    getBuiltinModule?(name: string): { readonly AsyncLocalStorage: new <T>() => Variable<T> } | undefined;
  };
}

/** A task-local value on the platform's own means, else on a stack that refuses overlap (browsers). */
export function makeTaskLocal<T>(platform: Platform = globalThis as Platform): TaskLocal<T> {
  const Type =
    platform.AsyncContext?.Variable ?? platform.process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;
  if (Type === undefined) return new StackLocal<T>();
  const variable = new Type<T>();
  const run: RunWith<T> = (value, fn) => variable.run(value, () => fn({ nest: run, resume: (go) => go() }));
  return {
    run,
    get: (): T | undefined => (variable.getStore === undefined ? variable.get?.() : variable.getStore()),
    isCertain: (): boolean => true,
  };
}

/** One call of `run` that is not done. */
interface Frame<T> {
  readonly value: T;
  readonly parent: Frame<T> | undefined;
  done: boolean;
}

/**
 * Where the platform cannot tell tasks apart after an await, only calls that are known to be nested are let in: those made
 * while the function of the innermost one still runs synchronously, and those made through the `nest` it was given.
 */
class StackLocal<T> implements TaskLocal<T> {
  #innermost: Frame<T> | undefined;
  /** The frame whose function is on JavaScript's stack now. */
  #executing: Frame<T> | undefined;

  get(): T | undefined {
    return (this.#executing ?? this.#innermost)?.value;
  }

  isCertain(): boolean {
    return this.#executing !== undefined || this.#innermost === undefined;
  }

  readonly run: RunWith<T> = (value, fn) => this.#run(this.#executing, value, fn);

  #run<R>(caller: Frame<T> | undefined, value: T, fn: (inside: Inside<T>) => R): R {
    if (caller !== this.#innermost) throw overlap();
    const frame: Frame<T> = { value, parent: caller, done: false };
    this.#innermost = frame;
    const inside: Inside<T> = {
      nest: (inner, nested) => this.#run(frame, inner, nested),
      resume: (go) => this.#execute(frame, go),
    };
    let result: R;
    try {
      result = this.#execute(frame, () => fn(inside));
    } catch (error) {
      this.#finish(frame);
      throw error;
    }
    if (!(result instanceof Promise)) {
      this.#finish(frame);
      return result;
    }
    return result.finally(() => {
      const first = this.#innermost === frame;
      this.#finish(frame);
      if (!first) throw overlap();
    }) as R;
  }

  #execute<R>(frame: Frame<T>, fn: () => R): R {
    const outer = this.#executing;
    this.#executing = frame;
    try {
      return fn();
    } finally {
      this.#executing = outer;
    }
  }

  #finish(frame: Frame<T>): void {
    frame.done = true;
    while (this.#innermost?.done) this.#innermost = this.#innermost.parent;
  }
}

function overlap(): BackendError {
  return new BackendError(
    "withBackend: another withBackend is under way, and this platform cannot tell its tasks apart after an await: run them one after " +
      "another, nest through the function's argument, or give creators their { backend } instead",
  );
}
