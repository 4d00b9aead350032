import { fetched, type Api, type CallRequest, type Reply, type Request } from "./rpc.ts";

/** A part of the app as one visitor of it has it: its functions, and whatever they remember from call to call. */
export interface Opened {
  readonly api: Api;
  /** Lets go of what was remembered. */
  close?(): void;
}

/** The worker's own end of the wire. */
export interface Port {
  postMessage(reply: Reply): void;
  addEventListener(type: "message", hear: (event: { readonly data: Request }) => void): void;
}

/** Serves rooms from inside a worker; each is opened, and its code fetched, when it is first called. What fails in one is told there alone. */
export function serve(open: (part: string) => Promise<Opened>, worker: Port = self as unknown as Port): void {
  const rooms = new Map<number, Room>();
  const stops = new Map<number, AbortController>();
  const post = (reply: Reply): void => worker.postMessage(reply);
  worker.addEventListener("message", ({ data }) => {
    if ("abort" in data) return stops.get(data.abort)?.abort();
    if ("close" in data) {
      void rooms.get(data.close)?.close();
      return void rooms.delete(data.close);
    }
    let room = rooms.get(data.room);
    if (room === undefined) rooms.set(data.room, (room = new Room(() => open(data.part), post)));
    const stop = new AbortController();
    stops.set(data.id, stop);
    void room.answer(data, stop).finally(() => stops.delete(data.id));
  });
}

class Room {
  readonly #open: () => Promise<Opened>;
  readonly #running = new Map<AbortController, Promise<void>>();
  readonly #post: (reply: Reply) => void;
  #opened: Promise<Opened> | undefined;

  constructor(open: () => Promise<Opened>, post: (reply: Reply) => void) {
    this.#open = open;
    this.#post = post;
  }

  /** Answers a call; never throws. */
  answer(request: CallRequest, stop: AbortController): Promise<void> {
    const answered = this.#answer(request, stop.signal).finally(() => this.#running.delete(stop));
    this.#running.set(stop, answered);
    return answered;
  }

  async #answer({ id, method, input }: CallRequest, signal: AbortSignal): Promise<void> {
    try {
      const { api } = await (this.#opened ??= fetched(this.#open()));
      this.#post({ id, output: await api[method]!(input, { signal, emit: (event) => this.#post({ id, event }) }) });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      if (name === "ChunkError") this.#opened = undefined; // another call tries again
      this.#post({ id, error: { name, message } });
    }
  }

  /** Stops what runs, and when all of it has stopped, lets go of what was remembered. */
  async close(): Promise<void> {
    for (const stop of this.#running.keys()) stop.abort();
    await Promise.all(this.#running.values());
    await this.#opened?.then(
      (opened) => opened.close?.(),
      () => undefined,
    );
  }
}
