import { webGpuBackend, WebGpuBackend } from "@statespace/backend-webgpu";
import {
  add,
  capture,
  DeviceLostError,
  exp,
  readFloats,
  setBackend,
  tensor,
  valueAndGrads,
  sum,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

function device(): GPUDevice {
  const backend = currentBackend();
  if (!(backend instanceof WebGpuBackend)) throw new Error("not webgpu");
  return backend.device as GPUDevice;
}

/** Destroys the page's device, and waits until the page has been told. */
async function lose(): Promise<void> {
  device().destroy();
  await device().lost;
}

afterAll(() => lose());

describe("a device that a page loses", () => {
  beforeEach(() => setBackend(webGpuBackend()));

  it("is one typed error of every call, and recover() opens a fresh one in its place", async () => {
    const backend = currentBackend();
    const x = tensor([1, 2, 3]);
    const graph = capture(() => exp(x));
    const before = await readFloats(exp(x));
    await lose();
    expect(backend.lost).toBeInstanceOf(DeviceLostError);
    await expect(readFloats(x)).rejects.toBe(backend.lost);
    for (const call of [() => exp(x), () => add(x, x), () => tensor([1]), () => graph.replay()])
      expect(call).toThrow(backend.lost);
    const fresh = await backend.recover();
    expect(fresh).not.toBe(backend);
    expect(currentBackend()).toBe(fresh);
    expect(await readFloats(exp(tensor([1, 2, 3])))).toEqual(before);
    expect(() => add(tensor([1, 2, 3]), x)).toThrow(backend.lost);
    graph.dispose();
    x.dispose();
  });

  it("while a result is under way rejects that, and again after it came back", async () => {
    for (let round = 0; round < 3; round++) {
      const backend = currentBackend();
      const x = tensor([1, 2, 3]);
      const underWay = readFloats(add(exp(x), x)).then(
        () => "read",
        (error: unknown) => (error === backend.lost ? "lost" : error),
      );
      await lose();
      // A result may have been on its way back already; nothing else may come of it.
      expect(["read", "lost"]).toContain(await underWay);
      expect(backend.lost).toBeInstanceOf(DeviceLostError);
      await backend.recover();
      const y = tensor([2, 3]);
      const { value, grads } = valueAndGrads(() => sum(exp(y)), [y]);
      expect((await readFloats(value))[0]).toBeCloseTo(Math.exp(2) + Math.exp(3), 4);
      expect((await readFloats(grads[0]!))[0]).toBeCloseTo(Math.exp(2), 5);
    }
  });
});
