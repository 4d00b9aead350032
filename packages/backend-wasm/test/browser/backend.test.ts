import { matMul, readFloats, setBackend, stopBackend, tensor, type Tensor } from "@statespace/core";
import { afterEach, describe, expect, it } from "vitest";
import { WasmBackend, wasmBackend, type WasmOptions } from "../../src/index.ts";

const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 12.9898 * i));
const product = (): Tensor => matMul(tensor(noise(200 * 300, 1), [200, 300]), tensor(noise(300 * 170, 2), [300, 170]));

async function start(options: WasmOptions): Promise<WasmBackend> {
  const backend = await WasmBackend.start(options);
  await setBackend({ ...wasmBackend(options), create: () => backend });
  return backend;
}
afterEach(() => stopBackend("wasm"));

describe("in a cross-origin isolated page", () => {
  it("threads give what one thread gives, from the main thread, which never blocks", async () => {
    expect(crossOriginIsolated).toBe(true);
    expect(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)).toThrow(TypeError); // this is the main thread
    await start({ threads: 1 });
    const alone = await readFloats(product());
    stopBackend("wasm");
    const { threads } = await start({ threads: 3 });
    expect(threads).toBe(3);
    for (let i = 0; i < 20; i++) expect(await readFloats(product())).toEqual(alone);
    await new Promise((resolve) => setTimeout(resolve, 300)); // the workers are asleep now
    expect(await readFloats(product())).toEqual(alone);
  });

  it("uses several threads by default", async () => {
    expect((await start({})).threads).toBe(Math.min(8, navigator.hardwareConcurrency));
  });
});

describe("where memory cannot be shared", () => {
  it("one thread is the default, and asking for more is refused by name", async () => {
    const { SharedArrayBuffer: original } = globalThis;
    Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
    try {
      expect((await start({})).threads).toBe(1);
      expect((await readFloats(product())).every(Number.isFinite)).toBe(true);
      await expect(WasmBackend.start({ threads: 2 })).rejects.toThrow(/COOP/);
    } finally {
      globalThis.SharedArrayBuffer = original;
    }
  });
});
