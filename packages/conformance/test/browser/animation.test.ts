import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { stopBackend, type BackendDefinition } from "@statespace/core";
import { startBackend } from "@statespace/core/backend";
import { Model, Scheduler, Session } from "@statespace/models";
import { afterEach, describe, expect, it, vi } from "vitest";

const BACKENDS: Readonly<Record<string, () => BackendDefinition>> = {
  cpu: cpuBackend,
  wasm: () => wasmBackend({ threads: 1 }),
  "wasm in a worker": () => wasmBackend({ threads: 1, worker: true }),
  webgpu: webGpuBackend,
};

const make = (backend: Awaited<ReturnType<typeof startBackend>>): Model =>
  new Model(
    {
      dModel: 32,
      encoder: { kind: "embedding", vocabSize: 256 },
      layers: [
        { kind: "mamba", dState: 4 },
        { kind: "attention", nHeads: 2, nHeadsKv: 1, window: 16 },
      ],
      head: { kind: "language" },
      norm: "rms",
    },
    7,
    { backend },
  );

/** Far more than a page draws frames for while the test has time. */
const ENDLESS = 1e7;
const options = { maxNewTokens: ENDLESS, eosTokenIds: [], temperature: 1 };

/** Counts a page's frames, or what else comes again and again, until it is told to stop. */
function counting(again: (run: () => void) => void): { count: number; stop(): void } {
  const counter = { count: 0, on: true, stop: () => void (counter.on = false) };
  const tick = (): void => {
    counter.count++;
    if (counter.on) again(tick);
  };
  again(tick);
  return counter;
}

/** Tasks of the page that wait behind whatever it does. */
function tasks(): { count: number; stop(): void } {
  const { port1, port2 } = new MessageChannel();
  let run: () => void = () => undefined;
  port1.onmessage = () => run();
  const counter = counting((tick) => {
    run = tick;
    port2.postMessage(undefined);
  });
  return {
    ...counter,
    get count() {
      return counter.count;
    },
    stop: () => (counter.stop(), port1.close()),
  };
}

describe.each(Object.keys(BACKENDS))("a page while text streams on %s", (name) => {
  let definition: BackendDefinition;
  afterEach(() => {
    vi.restoreAllMocks();
    stopBackend(definition.name);
  });

  it("goes on drawing frames: ten of them come before a text without end is over", async () => {
    const model = make(await startBackend((definition = BACKENDS[name]!())));
    const session = new Session(model);
    await session.read([1, 2, 3]);
    const frames = counting((tick) => void requestAnimationFrame(tick));
    let said = 0;
    for await (const _ of session.tokens(options)) {
      said++;
      if (frames.count >= 10) break;
    }
    frames.stop();
    expect(frames.count).toBeGreaterThanOrEqual(10);
    expect(said).toBeLessThan(ENDLESS);
    for (const thing of [session, model]) thing.dispose();
  });

  it("does something else after every token that takes as long as a frame, of one text and of many", async () => {
    const model = make(await startBackend((definition = BACKENDS[name]!())));
    const session = new Session(model);
    await session.read([1, 2, 3]);
    // Each look at the clock finds it 20 ms on: so long does a token take, whatever machine this is.
    let now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => (now += 20));
    const others = tasks();
    const seen: number[] = [];
    for await (const _ of session.tokens({ ...options, maxNewTokens: 12 })) seen.push(others.count);
    const scheduler = new Scheduler(model, { slots: 2 });
    for await (const _ of scheduler.submit([1, 2, 3], { ...options, maxNewTokens: 12 })) seen.push(others.count);
    others.stop();
    // Behind the first token nothing has been waited for yet.
    for (const from of [2, 14])
      for (let i = from; i < from + 10; i++) expect(seen[i]!, `token ${i}`).toBeGreaterThan(seen[i - 1]!);
    for (const thing of [session, scheduler, model]) thing.dispose();
  });
});
