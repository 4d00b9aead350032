import { describe, expect, it } from "vitest";
import { Lane, Remote } from "../../src/workers/remote.ts";
import { breathe, type Api, type CallContext, type Reply, type Request } from "../../src/workers/rpc.ts";
import { serve, type Opened } from "../../src/workers/serve.ts";

/** A lane whose worker is on the other side of a channel, and how often it was started. */
function laneOf(open: (part: string) => Promise<Opened>): { lane: Lane; started: () => number; end: () => void } {
  const ports: MessagePort[] = [];
  let started = 0;
  const start = (): Worker => {
    started++;
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    serve(open, {
      postMessage: (reply: Reply) => port2.postMessage(reply),
      addEventListener: (_, hear) =>
        port2.addEventListener("message", (event: MessageEvent<Request>) => hear({ data: event.data })),
    });
    for (const port of [port1, port2]) port.start();
    return Object.assign(port1, { terminate: () => port1.close() }) as unknown as Worker;
  };
  return { lane: new Lane(start), started: () => started, end: () => ports.forEach((port) => port.close()) };
}

type Counting = {
  add(by: number): number;
  fail(): never;
  forever(input: undefined, context: CallContext<number>): Promise<string>;
} & Api;

/** A part that counts, in each room for itself, and tells what became of it. */
function counting(told: string[]): () => Promise<Opened> {
  return async () => {
    let count = 0;
    const api: Counting = {
      add: (by) => (count += by),
      fail: () => {
        throw new TypeError("a slip");
      },
      async forever(_, { signal, emit }) {
        for (let i = 0; !signal.aborted; i++) {
          emit(i);
          await breathe();
        }
        told.push("stopped");
        return "done";
      },
    };
    return { api, close: () => void told.push(`closed at ${count}`) };
  };
}

describe("the engine that pages share", () => {
  it("is one worker, and what a room remembers is its own", async () => {
    const { lane, started, end } = laneOf(counting([]));
    const [first, second] = [new Remote<Counting>(lane, "count"), new Remote<Counting>(lane, "count")];
    expect(await first.call("add", 2)).toBe(2);
    expect(await second.call("add", 5)).toBe(5);
    expect(await first.call("add", 1)).toBe(3);
    expect(started()).toBe(1);
    end();
  });

  it("an error ends its own call, and nobody else's work", async () => {
    const { lane, started, end } = laneOf(counting([]));
    const [first, second] = [new Remote<Counting>(lane, "count"), new Remote<Counting>(lane, "count")];
    const stop = new AbortController();
    const seen: number[] = [];
    const running = second.call("forever", undefined, { signal: stop.signal, onEvent: (i) => seen.push(i) });
    await first.call("add", 1);
    await expect(first.call("fail", undefined)).rejects.toMatchObject({ name: "TypeError", message: "a slip" });
    expect(await first.call("add", 1)).toBe(2);
    const before = seen.length;
    await expect.poll(() => seen.length).toBeGreaterThan(before);
    stop.abort();
    expect(await running).toBe("done");
    expect(started()).toBe(1);
    end();
  });

  it("leaving a page stops its work, then lets go of what it remembered; other rooms stay", async () => {
    const told: string[] = [];
    const { lane, end } = laneOf(counting(told));
    const [left, stays] = [new Remote<Counting>(lane, "count"), new Remote<Counting>(lane, "count")];
    await stays.call("add", 7);
    await left.call("add", 4);
    const running = left.call("forever", undefined);
    left.close();
    await expect(running).rejects.toMatchObject({ name: "AbortedError" });
    await expect.poll(() => told).toEqual(["stopped", "closed at 4"]);
    await expect(left.call("add", 1)).rejects.toMatchObject({ name: "AbortedError" });
    expect(await stays.call("add", 1)).toBe(8);
    end();
  });

  it("code that did not come is asked for again by the next call, in the same worker", async () => {
    let tries = 0;
    const { lane, started, end } = laneOf(async (part) => {
      if (tries++ === 0) throw new TypeError("Failed to fetch dynamically imported module: x");
      return counting([])().then(({ api }) => (part === "count" ? { api } : { api: {} }));
    });
    const remote = new Remote<Counting>(lane, "count");
    await expect(remote.call("add", 1)).rejects.toMatchObject({ name: "ChunkError" });
    expect(await remote.call("add", 1)).toBe(1);
    expect(started()).toBe(1);
    end();
  });
});
