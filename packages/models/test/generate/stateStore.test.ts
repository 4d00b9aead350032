import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, registerBackend, setBackend } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { memoryShelf, Model, Session, StateStore, type SessionOptions, type TokenOptions } from "../../src/index.ts";

const V = 23;
const CHUNK = 8;
const LAYERS = {
  mamba: [{ kind: "mamba", dState: 4 }],
  hybrid: [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
  ],
  halves: [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4, window: 5, sinks: true },
  ],
  "delta rule": [{ kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 }],
} as const;

function make(name: keyof typeof LAYERS, seed = 7): Model {
  const model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: V },
      layers: [...LAYERS[name]],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    seed,
  );
  if (name === "halves") model.cacheType = "f16";
  return model;
}

const text = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => (seed * 31 + i * i * 7 + i * 3) % V);
const open = (model: Model, options: SessionOptions = {}): Session =>
  new Session(model, { prefillChunk: CHUNK, ...options });

async function say(session: Session, options: TokenOptions = {}): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of session.tokens({ eosTokenIds: [], ...options })) ids.push(id);
  return ids;
}

/** State and what it goes on with, to the last bit. */
async function bitsOf(session: Session): Promise<string> {
  const bytes = Buffer.from(await session.state.toBytes()).toString("base64");
  const fork = session.fork();
  const logprobs: (number | undefined)[] = [];
  for await (const { id, logprob } of fork.tokens({ maxNewTokens: 3, temperature: 0, logprobs: true, eosTokenIds: [] }))
    logprobs.push(id, logprob);
  fork.dispose();
  return `${bytes} ${logprobs.join()}`;
}

describe.each(["cpu", "wasm"])("a store of states on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 1 }));
    await setBackend(backend);
  });

  it.each(Object.keys(LAYERS) as (keyof typeof LAYERS)[])(
    "%s: a text that begins as another goes on bit for bit as if it was read",
    async (name) => {
      const before = memory().tensors;
      const model = make(name);
      const store = new StateStore({ every: CHUNK });
      const first = open(model, { store });
      await first.read(text(1, 29));
      expect(first.cachedTokens).toBe(0);
      for (const length of [3, 8, 15, 16, 20, 24, 29, 40]) {
        const prompt = [...text(1, Math.min(length, 29)), ...text(2, 13)];
        const alone = open(model);
        await alone.read(prompt);
        const reusing = open(model, { store, reproducible: true });
        await reusing.read(prompt);
        // Of a text that was read, what ends a piece is reproducible.
        expect(reusing.cachedTokens).toBeGreaterThanOrEqual(8 * Math.floor(Math.min(length, 29) / 8));
        expect(await bitsOf(reusing)).toBe(await bitsOf(alone));
        expect(reusing.ids).toEqual(prompt);
        for (const session of [alone, reusing]) session.dispose();
      }
      const again = open(model, { store, reproducible: true });
      await again.read(text(1, 29));
      expect(again.cachedTokens).toBe(29);
      expect(await bitsOf(again)).toBe(await bitsOf(first));
      for (const thing of [first, again, model]) thing.dispose();
      expect(memory().tensors).toBe(before);
    },
  );

  it.each(Object.keys(LAYERS) as (keyof typeof LAYERS)[])(
    "%s: a second turn goes on bit for bit as the session that said the first",
    async (name) => {
      const model = make(name);
      const store = new StateStore({ every: CHUNK });
      const session = open(model, { store });
      await session.read(text(1, 13));
      const said = await say(session, { maxNewTokens: 12, temperature: 1.3 });
      const next = text(3, 11);
      const prompt = [...text(1, 13), ...said, ...next];
      const second = open(model, { store });
      await second.read(prompt);
      expect(second.cachedTokens).toBe(25);
      const strict = open(model, { store, reproducible: true });
      await strict.read(prompt);
      expect(strict.cachedTokens).toBe(8);
      await session.read(next);
      expect(await bitsOf(second)).toBe(await bitsOf(session));
      const anew = open(model);
      await anew.read(prompt);
      expect(await bitsOf(strict)).toBe(await bitsOf(anew));
      for (const thing of [session, second, strict, anew, model]) thing.dispose();
    },
  );

  it("keeps to its budget; states of which the middle went stay exact", async () => {
    const model = make("hybrid");
    const all = new StateStore({ every: CHUNK });
    const one = open(model, { store: all });
    await one.read(text(1, 80));
    expect(all.stats.states).toBe(10);
    const store = new StateStore({ every: CHUNK, bytes: all.stats.bytes * 0.55 });
    for (const seed of [1, 2]) {
      const session = open(model, { store });
      await session.read(text(seed, 80));
      session.dispose();
      expect(store.stats.bytes).toBeLessThanOrEqual(all.stats.bytes * 0.55);
    }
    const prompt = [...text(2, 80), 5, 6];
    const [reusing, alone] = [open(model, { store, reproducible: true }), open(model)];
    await reusing.read(prompt);
    expect(reusing.cachedTokens).toBe(80);
    await alone.read(prompt);
    expect(await bitsOf(reusing)).toBe(await bitsOf(alone));
    const tiny = new StateStore({ bytes: 100 });
    const third = open(model, { store: tiny });
    await third.read(text(1, 20));
    expect(tiny.stats).toMatchObject({ states: 0, bytes: 0, misses: 1 });
    for (const thing of [one, reusing, alone, third, model]) thing.dispose();
  });

  it("finds nothing of other weights, whatever else is equal", async () => {
    const [model, other] = [make("mamba"), make("mamba", 8)];
    const store = new StateStore();
    const session = open(model, { store });
    await session.read(text(1, 12));
    const stranger = open(other, { store });
    await stranger.read(text(1, 12));
    expect(stranger.cachedTokens).toBe(0);
    const weight = model.parameter("norm_f.weight");
    weight.assign((await weight.read()).map((x) => x * 1.001));
    const trained = open(model, { store });
    await trained.read(text(1, 12));
    expect(trained.cachedTokens).toBe(0);
    for (const thing of [session, stranger, trained, model, other]) thing.dispose();
  });

  it("a session saved with other weights is refused at its first use", async () => {
    const [model, other] = [make("mamba"), make("mamba", 8)];
    const session = open(model);
    await session.read(text(1, 12));
    const bytes = await session.save();
    const stranger = open(other).restore(bytes);
    await expect(say(stranger)).rejects.toThrow("was saved with other weights: it belongs to another model");
    await expect(stranger.read([1])).rejects.toThrow("it belongs to another model");
    await expect(stranger.save()).rejects.toThrow("it belongs to another model");
    stranger.clear();
    await stranger.read([1]);
    for (const thing of [session, stranger, model, other]) thing.dispose();
  });
});

describe("a store in a folder", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("has after a restart what it had, and drops what is damaged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "states-"));
    try {
      const model = make("hybrid");
      const options = { every: CHUNK };
      const first = open(model, { store: await StateStore.open(folder, options) });
      await first.read(text(1, 24));
      const said = await say(first, { maxNewTokens: 5 });
      const prompt = [...text(1, 24), ...said, 3, 4];
      const store = await StateStore.open(folder, options);
      expect(store.stats.states).toBe(4);
      const second = open(model, { store });
      await second.read(prompt);
      expect(second.cachedTokens).toBe(29);
      await first.read([3, 4]);
      expect(await bitsOf(second)).toBe(await bitsOf(first));

      // A bit of the last state falls over; another file ends early; a third is none of ours.
      const sizes = await Promise.all(
        (await readdir(folder)).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })),
      );
      expect(sizes.length).toBeGreaterThanOrEqual(5);
      for (const { name, bytes } of sizes) {
        bytes[bytes.length - 1]! ^= 1;
        await writeFile(join(folder, name), bytes);
      }
      await writeFile(join(folder, "cut.state"), sizes[0]!.bytes.subarray(0, 30));
      await writeFile(join(folder, "strange.state"), "what is this");
      const damaged = await StateStore.open(folder, options);
      expect(damaged.stats.states).toBe(sizes.length);
      const third = open(model, { store: damaged });
      await third.read(prompt);
      expect(third.cachedTokens).toBe(0);
      expect(third.ids).toEqual(prompt);
      const fourth = open(model, { store: damaged });
      await fourth.read(prompt);
      expect(fourth.cachedTokens).toBe(prompt.length);
      await damaged.clear();
      expect(await readdir(folder)).toEqual([]);
      for (const thing of [first, second, third, fourth, model]) thing.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("a program that is killed leaves whole states alone, and what it left half is removed in time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "states-"));
    try {
      const models = new URL("../../src/index.ts", import.meta.url).href;
      const program = `
        import { cpuBackend } from "@statespace/backend-cpu";
        import { setBackend } from "@statespace/core";
        import { Model, Session, StateStore } from ${JSON.stringify(models)};
        await setBackend(cpuBackend());
        const layers = [{ kind: "mamba", dState: 64 }];
        const model = new Model({ dModel: 64, encoder: { kind: "embedding", vocabSize: 23 }, layers, head: { kind: "language" }, norm: "rms" }, 7);
        const store = await StateStore.open(${JSON.stringify(folder)}, { every: 4 });
        console.log("ready");
        for (let i = 0; ; i++) {
          const session = new Session(model, { store, prefillChunk: 4 });
          await session.read(Array.from({ length: 20 }, (_, k) => (k * i + i) % 23));
          session.dispose();
        }`;
      const child = spawn(process.execPath, ["--conditions=statespace-source", "--input-type=module", "-e", program], {
        cwd: new URL("../..", import.meta.url),
      });
      await new Promise((resolve) => void child.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const closed = new Promise((resolve) => void child.once("close", resolve));
      child.kill("SIGKILL");
      await closed;
      const before = (await readdir(folder)).filter((name) => name.endsWith(".state")).length;
      await writeFile(join(folder, "a.state.0-1.tmp"), "half");
      await utimes(join(folder, "a.state.0-1.tmp"), 1, 1);
      const store = await StateStore.open(folder, { every: 4 });
      expect(before).toBeGreaterThan(0);
      expect(store.stats.states).toBe(before);
      expect(await readdir(folder)).not.toContain("a.state.0-1.tmp");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("goes on without keeping where the disk is full", async () => {
    const model = make("mamba");
    const full = { ...memoryShelf(), put: () => Promise.reject(new Error("no space left")) };
    const store = new StateStore({ shelf: full });
    const session = open(model, { store });
    await session.read(text(1, 20));
    expect((await say(session, { maxNewTokens: 4 })).length).toBe(4);
    expect(store.stats).toMatchObject({ states: 0, failure: "no space left" });
    for (const thing of [session, model]) thing.dispose();
  });

  it("refuses options that are none", () => {
    expect(() => new StateStore({ maxBytes: 5 } as object)).toThrow("bytes may be meant");
    expect(() => new StateStore({ bytes: -1 })).toThrow("StateStore: bytes must be");
    expect(() => new StateStore({ every: 0 })).toThrow("StateStore: every must be");
  });
});
