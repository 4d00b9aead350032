import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  bundledCheckpoint,
  cpuBackend,
  currentBackendName,
  load,
  open,
  save,
  stopBackend,
  wasmBackend,
  type LoadOntoOptions,
} from "../src/index.ts";

afterEach(() => {
  for (const name of ["cpu", "wasm", "webgpu", "two"]) stopBackend(name);
});

describe("load", () => {
  it("starts a backend where none runs, and stays on the one that is set", async () => {
    const first = await load(bundledCheckpoint());
    expect(currentBackendName()).toBe(first.model.backend.name);
    first.dispose();
    for (const name of ["cpu", "wasm", "webgpu"]) stopBackend(name);
    const second = await load(bundledCheckpoint(), { backend: cpuBackend(), weights: "q4" });
    expect([currentBackendName(), second.model.backend.name]).toEqual(["cpu", "cpu"]);
    const third = await load(bundledCheckpoint());
    expect(third.model.backend).toBe(second.model.backend);
    for (const lm of [second, third]) lm.dispose();
  });

  it("puts two models on two backends, which say the same at once", async () => {
    const here = await load(bundledCheckpoint(), { backend: "cpu" });
    const there = await load(bundledCheckpoint(), { backend: { ...wasmBackend({ threads: 1 }), name: "two" } });
    expect(currentBackendName()).toBe("cpu");
    expect(there.model.backend.name).toBe("two");
    const texts = await Promise.all(
      [here, there].map((lm) => lm.complete("The state of the", { greedy: true, maxNewTokens: 12 })),
    );
    expect(texts[0]!.length).toBeGreaterThan(10);
    expect(texts[1]).toBe(texts[0]);
    for (const lm of [here, there]) lm.dispose();
  });

  it("names what is wrong: an option, a backend, a format", async () => {
    const from = bundledCheckpoint();
    await expect(load(from, { quantize: "q8" } as LoadOntoOptions)).rejects.toThrow("weights may be meant");
    await expect(load(from, { backend: "abacus" })).rejects.toThrow('"abacus" is not registered');
    await expect(load(from, { backend: "cpu", weights: "fp16" as "f16" })).rejects.toThrow('did you mean "f16"?');
  });
});

describe("save and open", () => {
  it("keep bytes, and whatever saves itself, under a name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "statespace-save-"));
    const name = join(folder, "text.safetensors");
    await save(Uint8Array.of(1, 2, 3), name);
    expect(await open(name)).toEqual(Uint8Array.of(1, 2, 3));
    const lm = await load(bundledCheckpoint(), { backend: "cpu" });
    const session = await lm.session().read("The state");
    await save(session, name);
    expect(lm.session().restore(await open(name)).ids).toEqual(session.ids);
    await expect(save(lm as never, name)).rejects.toThrow(Error);
    await expect(save(3 as never, name)).rejects.toThrow("must be bytes, or a session or chat");
    await expect(open(join(folder, "nothing"))).rejects.toThrow("nothing is stored under this name");
    lm.dispose();
    await rm(folder, { recursive: true });
  });
});
