import { setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { expect, it } from "vitest";
import { openDevice, type DeviceTraits } from "../src/device/device.ts";
import { requestGpu } from "../src/device/requestGpu.ts";
import { WebGpuBackend, webGpuBackend } from "../src/index.ts";
import { exponential } from "../src/selfTests/exponential.ts";
import { halfFloats } from "../src/selfTests/halfFloats.ts";
import { runSelfTests } from "../src/selfTests/index.ts";
import { matrixScans } from "../src/selfTests/matrixScans.ts";
import type { SelfTest } from "../src/selfTests/selfTest.ts";
import { subgroups } from "../src/selfTests/subgroups.ts";

const adapter = await requestGpu()
  .then((gpu) => gpu.requestAdapter())
  .catch(() => null);

it("options are checked by name", () => {
  expect(() => webGpuBackend({ precison: "high" } as object)).toThrow(
    "webGpuBackend: has no option precison; precision may be meant",
  );
  expect(() => webGpuBackend({ precision: "low" as "high" })).toThrow(
    "webGpuBackend: precision must be highest or high or medium, got low",
  );
});

it.skipIf(!adapter)("matrix units that do not multiply are refused, and products go on in f32", async () => {
  // A device without them, taken for one that has them.
  const { device, traits } = await openDevice(await requestGpu(), { minimal: true });
  const backend = new WebGpuBackend(device, { ...traits, matrix: true }, [], "high");
  await runSelfTests(backend);
  expect(backend.traits.matrix).toBe(false);
  expect(backend.traits.refused).toHaveLength(1);
  expect(backend.traits.refused[0]).toMatch(/^matrix: /);
  backend.dispose();
});

it.skipIf(!adapter)("a precision without matrix units is f32", async () => {
  await setBackend(webGpuBackend({ precision: "medium" }));
  const { precision, traits } = currentBackend() as WebGpuBackend;
  expect(precision).toBe("medium");
  expect(traits.refused).toEqual([]);
});

const found = async (tests: readonly SelfTest[], traits: Partial<DeviceTraits> = {}): Promise<DeviceTraits> => {
  const opened = await openDevice(await requestGpu());
  const backend = new WebGpuBackend(opened.device, { ...opened.traits, ...traits }, []);
  await runSelfTests(backend, tests);
  backend.dispose();
  return backend.traits;
};

it.skipIf(!adapter)("scans whose matrix units do not multiply go on in f32", async () => {
  const { matrixScans: kept, refused } = await found([matrixScans], { matrixScans: true });
  expect(kept).toBe(false);
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatch(/^matrixScans: /);
});

it.skipIf(!adapter)("half floats, subgroups and the exponential of this device are right", async () => {
  const opened = await openDevice(await requestGpu());
  const { f16, subgroupMin, subgroupMax } = opened.traits;
  opened.device.destroy();
  expect(await found([exponential, halfFloats, subgroups])).toMatchObject({
    refused: [],
    f16,
    subgroupMin,
    subgroupMax,
  });
});

it.skipIf(!adapter)(
  "a device that says it has half floats, or subgroups of a size that it has not, goes on without",
  async () => {
    const minimal = await openDevice(await requestGpu(), { minimal: true });
    const backend = new WebGpuBackend(
      minimal.device,
      { ...minimal.traits, f16: true, matrix: true, subgroupMax: 64, subgroupMin: 32 },
      [],
    );
    await runSelfTests(backend, [halfFloats, subgroups]);
    expect(backend.traits).toMatchObject({ f16: false, matrix: false, subgroupMin: 0, subgroupMax: 0 });
    expect(backend.traits.refused).toHaveLength(2);
    expect(backend.traits.refused[0]).toMatch(/^f16: /);
    expect(backend.traits.refused[1]).toMatch(/^subgroups: /);
    backend.dispose();
    const { traits } = await openDevice(await requestGpu());
    if (traits.subgroupMax > 0) {
      const wrong = await found([subgroups], { subgroupMin: 999, subgroupMax: 1000 });
      expect(wrong.refused[0]).toMatch(/^subgroups: a subgroup of \d+, where the device has 999 to 1000$/);
      expect(wrong.subgroupMax).toBe(0);
    }
  },
);

it.skipIf(!adapter)(
  "a check is made once for a card; what it found, or what it threw, is told of each device",
  async () => {
    let runs = 0;
    const failing: SelfTest = {
      part: "exp",
      applies: () => true,
      run: async () => {
        runs++;
        throw new Error("of test only");
      },
    };
    // Another name of the card keeps what is found apart from the real one's.
    for (let i = 0; i < 3; i++)
      expect((await found([failing], { name: "a card of this test" })).refused).toEqual(["exp: of test only"]);
    expect(runs).toBe(1);
  },
);
