import {
  add,
  BackendError,
  capture,
  DeviceLostError,
  matMul,
  memory,
  mul,
  OutOfMemoryError,
  readFloats,
  setBackend,
  ShapeError,
  stopBackend,
  sum,
  tensor,
  tidy,
  writeInto,
  zeros,
  type Tensor,
} from "@statespace/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WasmBackend, wasmBackend, type WasmOptions } from "../src/index.ts";
import type { RemoteMachine } from "../src/runtime/remote.ts";

let backend: WasmBackend;
async function start(options: WasmOptions = {}): Promise<WasmBackend> {
  await setBackend({
    ...wasmBackend(),
    create: async () => (backend = await WasmBackend.start({ worker: true, ...options })),
  });
  return backend;
}
afterEach(() => {
  stopBackend("wasm");
  vi.unstubAllGlobals();
});

const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 12.9898 * i));
/** A product large enough for every thread to take part. */
const product = (seed = 1): Tensor =>
  tidy(() => matMul(tensor(noise(200 * 300, seed), [200, 300]), tensor(noise(300 * 170, 2), [300, 170])));

async function direct(threads: number, compute: () => Tensor): Promise<Float32Array> {
  await start({ worker: false, threads });
  const values = await readFloats(compute());
  stopBackend("wasm");
  return values;
}

describe("a backend in a worker", () => {
  it.each([1, 2, 3])("computes bit for bit what the direct one does on %d threads", async (threads) => {
    const want = await direct(threads, product);
    expect((await start({ threads })).threads).toBe(threads);
    for (let i = 0; i < 5; i++) expect(await readFloats(product())).toEqual(want);
    await new Promise((resolve) => setTimeout(resolve, 200)); // its pool is asleep now
    expect(await readFloats(product())).toEqual(want);
  });

  it.each([
    ["zeros", (): Tensor => zeros([4])],
    ["an upload", (): Tensor => tensor(noise(4, 1))],
    ["32 MiB", (): Tensor => tidy(() => sum(zeros([8 << 20])))],
  ])("begins with %s: its first command lies behind the scratch by which memory just grew", async (_, first) => {
    for (const threads of [2, 3]) {
      const want = await direct(threads, first);
      await start({ threads });
      expect(await readFloats(first())).toEqual(want);
      expect(await readFloats(product())).toHaveLength(200 * 170);
      stopBackend("wasm");
    }
  });

  it("does so where memory cannot be shared: the worker has its own, which grows", async () => {
    const compute = (): Tensor => tidy(() => add(sum(zeros([8 << 20])), product()));
    const want = await direct(1, compute);
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect((await start()).threads).toBe(1);
    const before = backend.memory().heldBytes;
    expect(await readFloats(compute())).toEqual(want);
    expect(backend.memory().heldBytes).toBeGreaterThan(before + (16 << 20));
    await expect(WasmBackend.start({ worker: true, threads: 2 })).rejects.toThrow(/COOP/);
  });

  it("orders uploads, kernels and reads as they were made, without waiting in between", async () => {
    await start({ threads: 2 });
    const values = noise(5000, 1);
    const x = tensor(values);
    const reads: Promise<Float32Array>[] = [];
    for (let i = 0; i < 50; i++) {
      values.fill(i); // the source may be reused at once
      writeInto(x, values);
      reads.push(readFloats(tidy(() => mul(x, x))));
    }
    values.fill(-1);
    for (const [i, data] of (await Promise.all(reads)).entries())
      expect(data).toEqual(new Float32Array(5000).fill(i * i));
  });

  it("returns from a launch before the work is done", async () => {
    await start({ threads: 1 });
    const x = tensor(noise(512 * 512, 1), [512, 512]);
    await readFloats(sum(x));
    let y = x;
    for (let i = 0; i < 40; i++) y = tidy(() => matMul(y, x));
    // The memory is shared, and commands go off when this turn ends: what the launches will write is not there yet.
    const { buffer } = backend.machine.heap.memory as WebAssembly.Memory;
    const inMemory = (): Float32Array => new Float32Array(buffer, backend.at(y), 16).slice();
    const before = inMemory();
    const after = (await readFloats(y)).slice(0, 16);
    expect(inMemory()).toEqual(after);
    expect(before).not.toEqual(after);
  });

  it("replays a captured graph on new inputs as the ops run, also after memory grew", async () => {
    await start({ threads: 2 });
    const x = tensor(noise(256 * 64, 1), [256, 64]);
    const w = tensor(noise(64 * 128, 2), [64, 128]);
    const compute = (): Tensor => tidy(() => sum(mul(matMul(x, w), matMul(x, w)), 1));
    const graph = capture(compute);
    const big = zeros([32 << 20]);
    for (const seed of [3, 4, 5]) {
      writeInto(x, noise(256 * 64, seed));
      const eager = compute();
      graph.replay();
      expect(await readFloats(graph.result)).toEqual(await readFloats(eager));
      eager.dispose();
    }
    big.dispose();
    graph.dispose();
  });

  it("holds as much after many steps as before", async () => {
    await start({ threads: 2 });
    const x = tensor(noise(70 * 90, 1), [70, 90]);
    const step = (): void => tidy(() => sum(mul(matMul(x, x, false, true), matMul(x, x, false, true)))).dispose();
    step();
    const counts = (): object => ({ ...memory(), ...backend.memory(), used: backend.machine.heap.used });
    const before = counts();
    for (let i = 0; i < 500; i++) step();
    await x.data();
    expect(counts()).toEqual(before);
  });
});

describe("errors of a backend in a worker", () => {
  it("a synchronous read is refused by name", async () => {
    await start();
    expect(() => tensor([1]).dataSync()).toThrow(BackendError);
    expect(() => tensor([1]).dataSync()).toThrow(/no synchronous read/);
  });

  it("shapes are checked and memory runs out on the calling thread, and the backend goes on", async () => {
    await start({ threads: 2, maxBytes: 48 << 20 });
    const x = tensor(noise(1000, 1));
    expect(() => matMul(x, x)).toThrow(ShapeError);
    expect(() => zeros([64 << 20])).toThrow(OutOfMemoryError);
    expect(await readFloats(add(x, x))).toEqual(noise(1000, 1).map((v) => v + v));
  });

  it("a kernel that fails rejects the reads in flight; then the backend is lost, and setBackend starts anew", async () => {
    await start({ threads: 2 });
    const pending = readFloats(product());
    backend.machine.run("copyWords", [0xffff0000, 0, 1 << 20], false); // beyond memory: a trap
    const failing = tensor([1]).data();
    expect((await pending).every(Number.isFinite)).toBe(true);
    await expect(failing).rejects.toThrow(/a kernel failed: RuntimeError/);
    await expect(failing).rejects.toBeInstanceOf(BackendError);
    expect(() => product()).toThrow(DeviceLostError);
    await expect(backend.machine.read(0, 4)).rejects.toThrow(DeviceLostError);
    stopBackend("wasm");
    await start({ threads: 2 });
    expect((await readFloats(product())).every(Number.isFinite)).toBe(true);
  });

  it("a worker that dies, whichever, is a DeviceLostError of the reads in flight and of every call after", async () => {
    for (const kill of [
      (): void => backend.machine.pool.terminate(0),
      (): void => (backend.machine as RemoteMachine).terminate(),
    ]) {
      await start({ threads: 2, workerTimeout: 300 });
      expect((await readFloats(product())).every(Number.isFinite)).toBe(true);
      kill();
      await expect(readFloats(tidy(() => sum(product())))).rejects.toThrow(DeviceLostError);
      expect(() => product()).toThrow(DeviceLostError);
      stopBackend("wasm");
    }
  });

  it("reads in flight when the backend is stopped are rejected, and the worker ends", async () => {
    await start({ threads: 2 });
    const pending = readFloats(product());
    stopBackend("wasm");
    await expect(pending).rejects.toThrow(DeviceLostError);
    expect(() => backend.machine.write(0, new Uint8Array(4))).toThrow(/stopped/);
  });
});
