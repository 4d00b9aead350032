import { cpuBackend } from "@statespace/backend-cpu";
import { registerBackend } from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import { beforeAll, describe, expect, it } from "vitest";
import { api as scan } from "../../src/pages/scan/compute/scanApi.ts";
import { api as s4 } from "../../src/pages/s4/compute/s4Api.ts";
import { openRoom as openInduction } from "../../src/pages/induction/compute/inductionApi.ts";
import { openRoom as openRace } from "../../src/pages/selection/compute/raceApi.ts";
import { api as why } from "../../src/pages/why/compute/whyApi.ts";

/** Pages share a worker that outlives them: what they made there must be gone when they are left, however far they came. No backend is set in it. */
let backend: AnyBackend;
beforeAll(async () => {
  registerBackend(cpuBackend());
  backend = await startBackend("cpu");
});

const held = (): number => backend.memory().tensors;

/** Runs work that is stopped when it tells something for the given time. */
async function stoppedAfter(events: number, run: (context: never) => unknown): Promise<void> {
  const stop = new AbortController();
  let told = 0;
  const emit = (): void => {
    if (++told >= events) stop.abort();
  };
  if (events === 0) stop.abort();
  try {
    await run({ signal: stop.signal, emit } as never);
  } catch (error) {
    expect((error as Error).name).toBe("AbortError");
  }
  expect(stop.signal.aborted).toBe(true);
}

describe("what is stopped leaves nothing behind", () => {
  it.each([0, 1, 3])("Why, after %i points", async (events) => {
    const before = held();
    await stoppedAfter(events, (context) => why.measure({ lengths: [8, 16], backend: "cpu", patience: 900 }, context));
    expect(held()).toBe(before);
  });

  it.each([0, 1])("The scan, after %i lengths", async (events) => {
    const before = held();
    const input = { backend: "cpu", lengths: [8, 16], d: 4, n: 2 } as const;
    await stoppedAfter(events, (context) => scan.measure(input, context));
    await scan.states({ a: [0.5, 0.25], b: [1, 2] });
    expect(held()).toBe(before);
  });

  it("S4", async () => {
    const before = held();
    await s4.inits({ n: 4, delta: 0.01, target: "echo", lag: 20 });
    expect(held()).toBe(before);
  });

  it("Selection, whose model goes with its room", async () => {
    const before = held();
    const { api, close } = openRace();
    const settings = { letters: 4, nTokens: 2, seqLen: 8, seed: 1, size: "small", mixing: "s4" } as const;
    await api.create({ settings, backend: "cpu" });
    await stoppedAfter(1, (context) => api.train({ maxSeconds: 60, enough: 1 }, context));
    await api.inspect(new Int32Array(10));
    close();
    expect(held()).toBe(before);
  });

  it("Ask me later, likewise", async () => {
    const before = held();
    const { api, close } = openInduction();
    await stoppedAfter(1, (context) => api.learn({ kind: "mamba", seed: 1, backend: "cpu" }, context));
    close();
    expect(held()).toBe(before);
  });
});
