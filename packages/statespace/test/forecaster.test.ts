import { bundledCheckpoint, cpuBackend, load, setBackend, type LoadedModel } from "statespace";
import { loadFixture, readCsvSeries } from "@statespace/datasets";
import { afterAll, beforeAll, expect, it } from "vitest";

const [HORIZON, QUANTILES, MEDIAN] = [24, 5, 2];
let lm: LoadedModel;
beforeAll(async () => {
  await setBackend(cpuBackend());
  lm = await load(bundledCheckpoint("forecaster"));
});
afterAll(() => lm.dispose());

it.each(["temp_max", "temp_min", "wind", "precipitation"])(
  "foretells Seattle's %s, which it has not seen, better than last week does",
  async (column) => {
    const { series } = await readCsvSeries(await loadFixture("seattle-weather.csv"), { columns: [column] });
    const steps = series[0]!.map(Number);
    const places = [731, 900, 1000, 1100, 1200, 1437];
    const contexts = places.map((at) => steps.slice(at - 128, at));
    const [own, naive, inside] = [0, 0, 0].map((zero) => [zero]) as [number[], number[], number[]];
    for (const [i, { values, shape }] of (await lm.predict(contexts)).entries()) {
      expect(shape).toEqual([HORIZON, 1, QUANTILES]);
      for (let h = 0; h < HORIZON; h++) {
        const truth = steps[places[i]! + h]!;
        const said = values.slice(h * QUANTILES, (h + 1) * QUANTILES);
        expect(said).toEqual(said.slice().sort());
        own[0]! += Math.abs(truth - said[MEDIAN]!);
        naive[0]! += Math.abs(truth - contexts[i]![128 - 7 + (h % 7)]!);
        if (truth >= said[0]! && truth <= said[QUANTILES - 1]!) inside[0]!++;
      }
    }
    expect(own[0]!).toBeLessThan(naive[0]!);
    // Between the quantiles 0.1 and 0.9 there should be 0.8 of what comes.
    const share = inside[0]! / (places.length * HORIZON);
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThan(0.98);
  },
);

it("goes on with a season, at any level and in any unit", async () => {
  const season = (t: number): number => Math.sin((2 * Math.PI * t) / 12) + 0.3 * Math.cos((4 * Math.PI * t) / 12);
  const steps = Array.from({ length: 144 }, (_, t) => season(t));
  const [plain, large] = await lm.predict([steps.slice(0, 120), steps.slice(0, 120).map((x) => 5000 + 300 * x)]);
  let error = 0;
  for (let h = 0; h < HORIZON; h++) {
    const said = plain!.values[h * QUANTILES + MEDIAN]!;
    error += Math.abs(said - steps[120 + h]!) / HORIZON;
    expect((large!.values[h * QUANTILES + MEDIAN]! - 5000) / 300).toBeCloseTo(said, 1);
  }
  expect(error).toBeLessThan(0.25); // the mean alone errs by 0.65
});
