import { Rng } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { randomSeries } from "../src/index.ts";

describe("randomSeries", () => {
  it("is finite, of the length asked for, and of its generator alone", () => {
    const rng = new Rng(5);
    for (let i = 0; i < 300; i++) {
      const length = 1 + (i % 90);
      const series = randomSeries(rng, { length });
      expect(series).toHaveLength(length);
      expect(series.every(Number.isFinite)).toBe(true);
    }
    const [a, b] = [new Rng(9), new Rng(9)];
    expect(randomSeries(a, { length: 50 })).toEqual(randomSeries(b, { length: 50 }));
    expect(a.state()).toEqual(b.state());
  });

  it("often has a season, and often a trend", () => {
    const rng = new Rng(1);
    let [seasonal, trending] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const series = randomSeries(rng, { length: 240 });
      if (Math.max(...[4, 6, 7, 12, 24, 30, 52].map((lag) => correlation(series, lag))) > 0.5) seasonal++;
      const [first, last] = [mean(series.subarray(0, 80)), mean(series.subarray(160))];
      if (Math.abs(first - last) > deviation(series)) trending++;
    }
    expect(seasonal).toBeGreaterThan(60);
    expect(trending).toBeGreaterThan(30);
    expect(trending).toBeLessThan(150);
  });

  it("refuses a length that is none", () => {
    expect(() => randomSeries(new Rng(1), { length: 0 })).toThrow(/randomSeries: length must be/);
  });
});

const mean = (x: Float64Array): number => x.reduce((a, b) => a + b, 0) / x.length;
const deviation = (x: Float64Array): number => Math.sqrt(mean(x.map((value) => (value - mean(x)) ** 2)));

function correlation(x: Float64Array, lag: number): number {
  const m = mean(x);
  let total = 0;
  for (let t = lag; t < x.length; t++) total += (x[t]! - m) * (x[t - lag]! - m);
  return total / x.length / (deviation(x) ** 2 + 1e-12);
}
