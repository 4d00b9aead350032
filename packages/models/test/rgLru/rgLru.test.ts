import { tensor, tidy, valueAndGrads, setBackend, readFloats, sum } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { expect, it } from "vitest";
import { RgLruMixer } from "../../src/index.ts";
import { rgLruSchema } from "../../src/mixers/rgLru/config.ts";
import { minimalRgLru } from "../../src/mixers/rgLru/minimal.ts";
import { inputScale } from "../../src/mixers/rgLru/recurrence.ts";
import { describeMixerLaws } from "../laws.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

for (const given of [
  {},
  { dInner: 6, nHeads: 3, dConv: 2 },
  { dInner: 8, nHeads: 2, dConv: 1, activation: "silu" },
] as const) {
  const config = rgLruSchema.resolve(4, given);
  const name = `RG-LRU, ${JSON.stringify(given)}`;
  describeMixerLaws(name, (build) => new RgLruMixer(config, build), config);
  if (config.activation === "geluTanh")
    it(`${name}, equals its plain loops`, () =>
      expectMixerEqualsMinimal(
        (build) => new RgLruMixer(config, build),
        config.dModel,
        (weights, _, input) => minimalRgLru(weights, config, input),
      ));
}

it("the scale of inputs and its slope are right where a is nearly 1, and finite where it is 1", async () => {
  await setBackend(cpuBackend());
  const logA = tensor(Float32Array.of(-1e-9, -1e-3, -2, -1e-38, 0));
  const { value, grads } = tidy(() => valueAndGrads(() => sum(inputScale(logA)), [logA]));
  const scales = await readFloats(inputScale(logA));
  const slopes = await readFloats(grads[0]!);
  for (const [i, x] of [-1e-9, -1e-3, -2].entries()) {
    const scale = Math.sqrt(-Math.expm1(2 * Math.fround(x)));
    expect(scales[i]! / scale).toBeCloseTo(1, 6);
    // The slope of expm1 is computed as y + 1, which at -4 has lost 6 bits.
    expect(slopes[i]! / (-Math.exp(2 * x) / scale)).toBeCloseTo(1, 5);
  }
  expect(scales[4]).toBeLessThan(1e-14);
  expect(slopes.every(Number.isFinite)).toBe(true);
  value.dispose();
});

it("no decays are drawn outside of their range", () => {
  expect(() => rgLruSchema.resolve(4, { nHeads: 3 })).toThrow("rgLru: nHeads must divide dInner = 4");
  expect(() => rgLruSchema.resolve(4, { aInitRange: [0, 0.5] })).toThrow("aInitRange");
});
