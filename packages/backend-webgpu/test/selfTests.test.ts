import { setBackend } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { expect, it } from "vitest";
import { openDevice } from "../src/device/device.ts";
import { requestGpu } from "../src/device/requestGpu.ts";
import { WebGpuBackend, webGpuBackend } from "../src/index.ts";
import { runSelfTests } from "../src/selfTests/index.ts";

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
