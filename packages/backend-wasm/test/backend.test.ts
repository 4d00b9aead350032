import {
  add,
  BackendError,
  capture,
  DeviceLostError,
  matMul,
  mul,
  OutOfMemoryError,
  readFloats,
  setBackend,
  stopBackend,
  sum,
  tensor,
  tidy,
  writeInto,
  zeros,
  type Tensor,
} from "@statespace/core";
import { afterEach, describe, expect, it } from "vitest";
import { WasmBackend, wasmBackend, type WasmOptions } from "../src/index.ts";

let backend: WasmBackend;
async function start(options: WasmOptions = {}): Promise<WasmBackend> {
  const definition = wasmBackend(options);
  await setBackend({ ...definition, create: async () => (backend = await WasmBackend.start(options)) });
  return backend;
}
afterEach(() => stopBackend("wasm"));

const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 12.9898 * i));
/** A product large enough for every thread to take part. */
function product(): Tensor {
  return tidy(() => matMul(tensor(noise(200 * 300, 1), [200, 300]), tensor(noise(300 * 170, 2), [300, 170])));
}

describe("threads", () => {
  it.each(["plain", "relaxed"] as const)("give the same product on 1, 2 and 3 (%s)", async (flavour) => {
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      await start({ threads, flavour });
      results.push(await readFloats(product()));
      stopBackend("wasm");
    }
    // Columns are divided, never sums: each element adds up in one order.
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it("repeat bit by bit", async () => {
    await start({ threads: 2 });
    const first = await readFloats(sum(product(), 0));
    for (let i = 0; i < 20; i++) expect(await readFloats(sum(product(), 0))).toEqual(first);
  });

  it("wake after sleeping", async () => {
    await start({ threads: 2 });
    const first = await readFloats(product());
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await readFloats(product())).toEqual(first);
  });

  it.each([0, -1, 1.5, Number.NaN])("%d is refused", async (threads) => {
    await expect(start({ threads })).rejects.toThrow(BackendError);
  });
});

describe("a worker that dies", () => {
  it("between launches is a typed error at the next, and setBackend starts anew", async () => {
    await start({ threads: 2, workerTimeout: 300 });
    product().dispose();
    backend.machine.pool.terminate(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(() => product()).toThrow(DeviceLostError);
    stopBackend("wasm");
    await start({ threads: 2 });
    expect((await readFloats(product())).every(Number.isFinite)).toBe(true);
  });

  it("inside a launch is a typed error after the time-out, not a hang", async () => {
    await start({ threads: 2, workerTimeout: 300 });
    backend.machine.pool.terminate(0);
    // No turn of the event loop: nobody has told the pool yet, so the caller waits for the worker.
    expect(() => {
      for (let i = 0; i < 3; i++) product();
    }).toThrow(/silent for 300 ms/);
    expect(() => product()).toThrow(DeviceLostError);
  });
});

describe("memory", () => {
  it("that runs out is a typed error, and the backend goes on", async () => {
    await start({ threads: 1, maxBytes: 32 << 20 });
    const x = tensor(noise(1000, 1));
    const { tensors, tensorBytes } = backend.memory();
    expect(() => zeros([64 << 20])).toThrow(OutOfMemoryError);
    expect(backend.memory()).toMatchObject({ tensors, tensorBytes });
    expect(await readFloats(add(x, x))).toEqual(noise(1000, 1).map((v) => v + v));
  });

  it("is the same before and after many steps", async () => {
    await start({ threads: 2 });
    const x = tensor(noise(70 * 90, 1), [70, 90]);
    const step = (): void => tidy(() => sum(mul(matMul(x, x, false, true), matMul(x, x, false, true)))).dispose();
    step();
    const before = { ...backend.memory(), used: backend.machine.heap.used };
    for (let i = 0; i < 1000; i++) step();
    expect({ ...backend.memory(), used: backend.machine.heap.used }).toEqual(before);
  });
});

describe("capture", () => {
  it("replays on new inputs as the ops run, also after memory grew", async () => {
    await start({ threads: 2 });
    const x = tensor(noise(256 * 64, 1), [256, 64]);
    const w = tensor(noise(64 * 128, 2), [64, 128]);
    const compute = (): Tensor => tidy(() => sum(mul(matMul(x, w), matMul(x, w)), 1));
    const graph = capture(compute);
    const big = zeros([32 << 20]); // the views of memory that were there before are stale now
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
});
