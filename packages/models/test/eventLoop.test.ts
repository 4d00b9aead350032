import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend, stopBackend } from "@statespace/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameKeeper } from "../src/eventLoop.ts";
import { beamSearch, Model, predict, Session } from "../src/index.ts";

const language = (): Model =>
  new Model({
    dModel: 16,
    encoder: { kind: "embedding", vocabSize: 32 },
    layers: ["mamba"],
    head: { kind: "language" },
  });

beforeEach(() => setBackend(cpuBackend()));
afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ["cpu", "wasm"]) stopBackend(name);
});

/** How often other tasks get a turn is the frame keeper's to say; how often it is asked is counted. */
const asked = (): (() => number) => {
  const breathe = vi.spyOn(FrameKeeper.prototype, "breathe");
  return () => breathe.mock.calls.length;
};

describe("long work lets other events through", () => {
  it("between tokens, beams, weights that are packed or moved, and batches that are predicted", async () => {
    const model = language();
    const count = asked();
    const session = new Session(model);
    await session.read([1, 2]);
    for await (const _ of session.tokens({ maxNewTokens: 9, eosTokenIds: [] }));
    expect(count()).toBe(8);
    await beamSearch(session, { numBeams: 2, maxNewTokens: 5, eosTokenIds: [] });
    expect(count()).toBe(8 + 4);
    session.dispose();
    await setBackend(wasmBackend({ threads: 1 }));
    await model.to("wasm");
    expect(count()).toBe(12 + model.parameters.length);
    await model.quantize("f16");
    expect(count()).toBe(12 + 2 * model.parameters.length);
    model.dispose();
    const classifier = new Model({
      dModel: 8,
      encoder: { kind: "linear", channels: 1 },
      layers: ["s4d"],
      head: { kind: "classification", classes: 2 },
    });
    const before = count();
    await predict(
      classifier,
      Array.from({ length: 100 }, (_, i) => Float32Array.of(i, 1, 2)),
    );
    expect(count() - before).toBe(4); // 32 at once
    classifier.dispose();
  });

  it("so that a timer, a signal or a click acts in the middle of a text without end, and of many predictions", async () => {
    const model = language();
    for (const backend of ["cpu", "wasm"]) {
      await setBackend(backend === "cpu" ? cpuBackend() : wasmBackend({ threads: 1 }));
      await model.to(backend);
      const session = new Session(model);
      await session.read([1, 2]);
      const endless = (async () => {
        for await (const _ of session.tokens({ maxNewTokens: 1e9, eosTokenIds: [], signal: AbortSignal.timeout(20) }));
      })();
      await expect(endless).rejects.toMatchObject({ name: "AbortedError" });
      session.dispose();
    }
    model.dispose();
    const classifier = new Model({
      dModel: 8,
      encoder: { kind: "linear", channels: 1 },
      layers: ["s4d"],
      head: { kind: "classification", classes: 2 },
    });
    const many = Array.from({ length: 100_000 }, (_, i) => Float32Array.of(i, 1, 2));
    const predicting = predict(classifier, many, { signal: AbortSignal.timeout(20) });
    await expect(predicting).rejects.toMatchObject({ name: "AbortedError" });
    classifier.dispose();
  });
});
