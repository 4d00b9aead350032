import {
  add,
  argMax,
  BackendError,
  capture,
  DeviceLostError,
  embedding,
  exp,
  keep,
  linear,
  mul,
  OutOfMemoryError,
  packWeight,
  readFloats,
  registerBackend,
  setBackend,
  stopBackend,
  sum,
  tensor,
  valueAndGrads,
  writeInto,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isSoftware } from "../src/device/device.ts";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

const noise = (size: number, seed = 1): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 12.9898 * i));
const backend = (): WebGpuBackend => currentBackend() as WebGpuBackend;

beforeEach(() => setBackend(webGpuBackend()));
afterEach(() => stopBackend("webgpu"));

describe("a program that stands in for a card", () => {
  it.each([
    [{ vendor: "google", architecture: "swiftshader" }, true],
    [{ vendor: "mesa", description: "llvmpipe (LLVM 19.1.1, 256 bits)" }, true],
    [{ vendor: "microsoft", device: "008c", description: "Microsoft Basic Render Driver" }, true],
    [{ isFallbackAdapter: true }, true],
    [{ vendor: "nvidia", architecture: "hopper", description: "NVIDIA H100 80GB HBM3" }, false],
    [{ vendor: "apple", architecture: "metal-3" }, false],
    [{}, false],
  ])("%j: %s", (info, expected) => expect(isSoftware(info)).toBe(expected));

  it("is told of the backend", () => {
    const { traits, emulated } = backend();
    expect(emulated).toBe(traits.software);
    expect(emulated).toBe(/swiftshader|llvmpipe/i.test(traits.name));
  });
});

describe("a lost device", () => {
  it("rejects what is in flight with DeviceLostError, and setBackend goes on with a new one", async () => {
    const x = tensor(noise(1 << 16));
    let y = x;
    for (let i = 0; i < 20; i++) y = exp(mul(y, 0.1));
    const reading = readFloats(y);
    const lost = backend();
    lost.device.destroy();
    await expect(reading).rejects.toBeInstanceOf(DeviceLostError);
    await expect(lost.read(x.dataId)).rejects.toBeInstanceOf(DeviceLostError);
    expect(() => lost.output([4])).toThrow(DeviceLostError);
    await setBackend("webgpu");
    expect(backend()).not.toBe(lost);
    expect([...(await readFloats(add(tensor([1, 2]), 1)))]).toEqual([2, 3]);
  });
});

describe("faults", () => {
  it("a buffer larger than the device makes is OutOfMemoryError, and work goes on", async () => {
    expect(() => backend().output([backend().traits.maxBufferSize])).toThrow(OutOfMemoryError);
    expect([...(await readFloats(add(tensor([1]), 1)))]).toEqual([2]);
  });
  it("a command the device refuses is BackendError at the next read, and work goes on", async () => {
    const out = backend().output([4]);
    // A grid that no device takes is cut before it gets there; here the backend is made to believe in one that takes any.
    const { maxGrid } = backend().traits;
    Object.assign(backend().traits, { maxGrid: Infinity });
    backend().run("make/fill", { params: { size: 4, bits: 0 }, buffers: { out }, grid: [70_000, 1, 1] });
    Object.assign(backend().traits, { maxGrid });
    await expect(backend().read(out.dataId)).rejects.toThrow(BackendError);
    expect([...(await readFloats(add(tensor([1]), 1)))]).toEqual([2]);
  });
  it("a packed weight is no operand of other ops", () => {
    const packed = packWeight(noise(64), [2, 32], "q8");
    expect(() => exp(packed)).toThrow(BackendError);
  });
});

describe("memory", () => {
  it("is flat over 100 steps, and what is released is used again", async () => {
    const weight = tensor(noise(64), [8, 8]);
    const step = async (): Promise<void> => {
      const x = tensor(noise(16, 3), [2, 8]);
      const { value, grads } = valueAndGrads(() => sum(exp(linear({ x, weight }).y)), [weight]);
      await readFloats(value);
      for (const t of [x, value, ...grads]) t!.dispose();
    };
    for (let i = 0; i < 3; i++) await step();
    const [before, buffers] = [backend().memory(), backend().counters.buffersInUse];
    for (let i = 0; i < 100; i++) await step();
    expect(backend().memory()).toEqual(before);
    expect(backend().counters.buffersInUse).toBe(buffers);
  });
  it("free buffers go back to the device on request", async () => {
    const x = tensor(noise(1 << 18));
    await readFloats(x);
    x.dispose();
    const held = backend().memory().heldBytes;
    backend().trim();
    expect(backend().memory().heldBytes).toBeLessThanOrEqual(held - (1 << 20));
  });
});

describe("capture", () => {
  it("replays on fresh inputs as the ops run eagerly, with the choice of a token on the device", async () => {
    const weight = tensor(noise(40 * 32), [40, 32]);
    const x = keep(tensor(noise(32), [1, 32]));
    const step = (): Tensor => argMax(add(linear({ x, weight }).y, 0.5), -1);
    const graph = capture(step);
    for (let i = 0; i < 5; i++) {
      writeInto(x, noise(32, 10 + i));
      graph.replay();
      const replayed = [...(await backend().read(graph.result.dataId))];
      expect(replayed).toEqual([...(await backend().read(step().dataId))]);
    }
    graph.dispose();
  });
});

describe("views", () => {
  it("at offsets that cannot be bound are read and written all the same", async () => {
    const b = backend();
    const whole = tensor(noise(96), [96]);
    const part = b.view(whole, [10], 7);
    const doubled = b.output([10]);
    b.runOver("unary/unary", 10, 256, {
      constants: { OP: 8, INT: false },
      params: { size: 10, low: 0, high: 0 },
      buffers: { x: part, y: doubled },
    });
    expect([...((await b.read(doubled.dataId)) as Float32Array)]).toEqual(
      Array.from(noise(96).slice(7, 17), (v) => Math.fround(v * v)),
    );
    b.runOver("make/fill", 10, 256, { params: { size: 10, bits: 0 }, buffers: { out: part } });
    const after = await readFloats(whole);
    expect(Array.from(after.slice(7, 17))).toEqual(new Array(10).fill(0));
    expect(after[6]).toBe(noise(96)[6]);
    expect(after[17]).toBe(noise(96)[17]);
  });
});

describe("packed weights", () => {
  it.each(["f16", "bf16", "q8", "q4"] as const)(
    "%s: few rows, many rows and rows by id give what the unpacked weight gives",
    async (format) => {
      const packed = packWeight(noise(48 * 64), [48, 64], format);
      const plain = tensor(await readFloats(packed), [48, 64]);
      for (const rows of [1, 3, 20]) {
        const x = tensor(noise(rows * 64, 5), [rows, 64]);
        const [got, want] = [
          await readFloats(linear({ x, weight: packed }).y),
          await readFloats(linear({ x, weight: plain }).y),
        ];
        // 64 products of numbers below 1: their sum rounds at most 64 times at 2^-24 of 64.
        got.forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(64 * 64 * 2 ** -24));
      }
      const ids = tensor(Int32Array.of(3, 47, 0));
      expect(await readFloats(embedding({ ids, weight: packed }).y)).toEqual(
        await readFloats(embedding({ ids, weight: plain }).y),
      );
    },
  );
  it.each(["f16", "bf16"] as const)("%s: rows that are not whole words", async (format) => {
    const packed = packWeight(noise(5 * 7), [5, 7], format);
    const plain = tensor(await readFloats(packed), [5, 7]);
    const x = tensor(noise(7, 2), [1, 7]);
    const [got, want] = [
      await readFloats(linear({ x, weight: packed }).y),
      await readFloats(linear({ x, weight: plain }).y),
    ];
    expect(got).toEqual(want);
  });
});

describe("the smallest device", () => {
  it("default limits and no optional feature serve a scan step with every operand", async () => {
    stopBackend("webgpu");
    registerBackend(webGpuBackend({ minimal: true }));
    await setBackend("webgpu");
    const { traits } = backend();
    expect([traits.maxStorageBuffers, traits.subgroupMin, traits.maxWorkgroupMemory]).toEqual([8, 0, 16_384]);
    const { selectiveScanStep } = await import("@statespace/core/ops");
    const [state, u, delta, A, B, C, D, z, deltaBias] = [
      [1, 8, 4],
      [1, 8],
      [1, 8],
      [8, 4],
      [1, 4],
      [1, 4],
      [8],
      [1, 8],
      [8],
    ].map((shape, i) =>
      tensor(
        noise(
          shape.reduce((a, b) => a * b, 1),
          i,
        ),
        shape,
      ),
    ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const inputs = { state, u, delta, A: mul(A, -1), B, C, D, z, deltaBias };
    const values = async (): Promise<number[]> => [
      ...(await readFloats(selectiveScanStep(inputs, { deltaSoftplus: true }).y)),
    ];
    const got = await values();
    expect(got.every(Number.isFinite)).toBe(true);
    expect(new Set(got).size).toBe(8);
  });
});

describe("a table larger than one binding", () => {
  it("is read in parts, by rows, by embedding and linear", async () => {
    const [v, k] = [200, 32];
    const run = async (): Promise<Float32Array[]> => {
      const [weight, bias] = [tensor(noise(v * k), [v, k]), tensor(noise(v, 4), [v])];
      const ids = tensor(Int32Array.of(0, 63, 64, 127, 128, 199));
      const outputs = [
        embedding({ ids, weight }).y,
        ...[1, 3, 10].map((m) => linear({ x: tensor(noise(m * k, 2), [m, k]), weight, bias }).y),
      ];
      return Promise.all(outputs.map((y) => readFloats(y)));
    };
    const whole = await run();
    stopBackend("webgpu");
    registerBackend(webGpuBackend({ maxBinding: 4 * 64 * k }));
    await setBackend("webgpu");
    expect(backend().traits.maxBinding).toBe(8192);
    expect(await run()).toEqual(whole);
  });
});
