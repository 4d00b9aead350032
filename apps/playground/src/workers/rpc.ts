/**
 * Calls into workers: one typed input, one typed output, events on the way, and a signal to stop.
 * Errors travel with their names, so that a page can say in words what happened.
 */

import { isFetchFailure } from "./fetchFailure.ts";

/** What a worker's function is handed beside its input. */
export interface CallContext<Event = never> {
  readonly signal: AbortSignal;
  emit(event: Event): void;
}

// eslint-disable-next-line typescript/no-explicit-any
export type Api = Record<string, (input: any, context: CallContext<any>) => unknown>;
type Input<F> = F extends (input: infer I, ...rest: never[]) => unknown ? I : never;
type Output<F> = F extends (...args: never[]) => infer O ? Awaited<O> : never;
type EventOf<F> = F extends (input: never, context: CallContext<infer E>) => unknown ? E : never;

type Request =
  | { readonly id: number; readonly part: string; readonly method: string; readonly input: unknown }
  | { readonly id: number; readonly abort: true };
type Reply =
  | { readonly id: number; readonly event: unknown }
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** An error that happened in a worker. */
export class RemoteError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Serves apis from inside a worker; each is found, and its code fetched, when it is first called. */
export function serve(find: (part: string) => Promise<Api>): void {
  const running = new Map<number, AbortController>();
  const post = (reply: Reply): void => self.postMessage(reply);
  self.addEventListener("message", async ({ data }: MessageEvent<Request>) => {
    if ("abort" in data) return running.get(data.id)?.abort();
    const controller = new AbortController();
    running.set(data.id, controller);
    try {
      const api = await fetched(find(data.part));
      const output = await api[data.method]!(data.input, {
        signal: controller.signal,
        emit: (event) => post({ id: data.id, event }),
      });
      post({ id: data.id, output });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      post({ id: data.id, error: { name, message } });
    } finally {
      running.delete(data.id);
    }
  });
}

/** Code that is on its way: that it cannot be fetched is the network's fault, and is named so, since to the language it is a TypeError like any slip. */
export async function fetched<T>(code: Promise<T>): Promise<T> {
  try {
    return await code;
  } catch (error) {
    throw isFetchFailure(error) ? new RemoteError("ChunkError", (error as Error).message) : error;
  }
}

export interface CallOptions<Event> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Event) => void;
}

interface Waiting {
  settle(output: unknown): void;
  fail(error: Error): void;
  event(event: unknown): void;
}

/** The page's end of a worker. It is started by the first call, and again by the next one after it died. */
export class Remote<A extends Api> {
  readonly #part: string;
  readonly #start: () => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 0;

  constructor(part: string, start: () => Worker) {
    this.#part = part;
    this.#start = start;
  }

  call<K extends keyof A & string>(
    method: K,
    input: Input<A[K]>,
    options: CallOptions<EventOf<A[K]>> = {},
  ): Promise<Output<A[K]>> {
    const id = this.#nextId++;
    const worker = (this.#worker ??= this.#started());
    const { signal, onEvent } = options;
    const abort = (): void => worker.postMessage({ id, abort: true } satisfies Request);
    signal?.addEventListener("abort", abort);
    const result = new Promise<Output<A[K]>>((settle, fail) => {
      this.#waiting.set(id, {
        settle: settle as (output: unknown) => void,
        fail,
        event: (event) => onEvent?.(event as EventOf<A[K]>),
      });
      worker.postMessage({ id, part: this.#part, method, input } satisfies Request);
      if (signal?.aborted) abort();
    });
    return result.finally(() => signal?.removeEventListener("abort", abort));
  }

  #started(): Worker {
    const worker = this.#start();
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.#receive(data));
    worker.addEventListener("error", (event) => {
      // without a message it was never there: its program could not be fetched
      const name = event.message ? "WorkerError" : "ChunkError";
      worker.terminate();
      if (this.#worker === worker) this.#worker = undefined;
      this.#failAll(new RemoteError(name, event.message || "the worker did not start"));
    });
    return worker;
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if ("event" in reply) return waiting.event(reply.event);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting.fail(new RemoteError(reply.error.name, reply.error.message));
    else waiting.settle(reply.output);
  }

  #failAll(error: Error): void {
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }

  /** Ends the worker; calls under way fail as aborted. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#failAll(new RemoteError("AbortedError", "the worker was closed"));
  }
}

/** Lets messages in (a stop, a new call) between two pieces of work. */
export function breathe(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port2.addEventListener("message", () => {
      port1.close();
      done();
    });
    port2.start();
    port1.postMessage(0);
  });
}

/** Waits, and lets messages in meanwhile. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, milliseconds)));
}
