import { RemoteError, type Api, type CallContext, type Reply, type Request } from "./rpc.ts";

type Input<F> = F extends (input: infer I, ...rest: never[]) => unknown ? I : never;
type Output<F> = F extends (...args: never[]) => infer O ? Awaited<O> : never;
type EventOf<F> = F extends (input: never, context: CallContext<infer E>) => unknown ? E : never;

export interface CallOptions<Event> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Event) => void;
}

interface Waiting {
  readonly room: number;
  settle(output: unknown): void;
  fail(error: Error): void;
  event(event: unknown): void;
}

/** A worker that many share. It is started by the first call, and again by the next one where it could not be started. */
export class Lane {
  readonly #start: () => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #lastRoom = 0;

  constructor(start: () => Worker) {
    this.#start = start;
  }

  room(): number {
    return ++this.#lastRoom;
  }

  call(
    of: { readonly room: number; readonly part: string; readonly method: string; readonly input: unknown },
    { signal, onEvent }: CallOptions<unknown>,
  ): Promise<unknown> {
    const id = ++this.#lastId;
    const worker = (this.#worker ??= this.#started());
    const post = (request: Request): void => worker.postMessage(request);
    const abort = (): void => post({ abort: id });
    signal?.addEventListener("abort", abort);
    const result = new Promise<unknown>((settle, fail) => {
      this.#waiting.set(id, { room: of.room, settle, fail, event: (event) => onEvent?.(event) });
      post({ id, ...of });
      if (signal?.aborted) abort();
    });
    return result.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Stops what a room computes; its calls fail as aborted, those of others go on. */
  leave(room: number): void {
    this.#worker?.postMessage({ close: room } satisfies Request);
    this.#fail(new RemoteError("AbortedError", "the room was closed"), (waiting) => waiting.room === room);
  }

  /** Ends the worker, and with it every room. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#fail(new RemoteError("AbortedError", "the worker was ended"));
  }

  #started(): Worker {
    const worker = this.#start();
    let answers = false;
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      answers = true;
      this.#receive(data);
    });
    worker.addEventListener("error", (event) => {
      // what goes wrong in a call is its answer; an error outside of all calls is no reason to end those of others
      if (answers) return;
      // without a message it was never there: its program could not be fetched
      const name = event.message ? "WorkerError" : "ChunkError";
      worker.terminate();
      if (this.#worker === worker) this.#worker = undefined;
      this.#fail(new RemoteError(name, event.message || "the worker did not start"));
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

  #fail(error: Error, which: (waiting: Waiting) => boolean = () => true): void {
    for (const [id, waiting] of this.#waiting) {
      if (!which(waiting)) continue;
      this.#waiting.delete(id);
      waiting.fail(error);
    }
  }
}

/** A page's end of a part of the app: a room of its own in a lane. */
export class Remote<A extends Api> {
  readonly #lane: Lane;
  readonly #part: string;
  readonly #room: number;
  #closed = false;

  constructor(lane: Lane, part: string) {
    this.#lane = lane;
    this.#part = part;
    this.#room = lane.room();
  }

  async call<K extends keyof A & string>(
    method: K,
    input: Input<A[K]>,
    options: CallOptions<EventOf<A[K]>> = {},
  ): Promise<Output<A[K]>> {
    if (this.#closed) throw new RemoteError("AbortedError", "the room was closed");
    const of = { room: this.#room, part: this.#part, method, input };
    return (await this.#lane.call(of, options as CallOptions<unknown>)) as Output<A[K]>;
  }

  /** Stops what it computes, and forgets what it remembers; calls under way fail as aborted. */
  close(): void {
    if (!this.#closed) this.#lane.leave(this.#room);
    this.#closed = true;
  }
}
