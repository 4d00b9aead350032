import { describe, expect, it } from "vitest";
import { cut, spread, type EndLabel } from "../../src/components/endLabels.ts";

const at = (...ys: number[]): EndLabel[] => ys.map((y, i) => ({ text: String(i), tone: "mamba", y }));
const places = (labels: readonly EndLabel[]): number[] => labels.map(({ y }) => y);

describe("names at the ends of lines", () => {
  it("stand where the lines end, if they have room", () =>
    expect(places(spread(at(90, 10, 50), 0, 100, 14))).toEqual([10, 50, 90]));

  it("give way to each other, keep their order, and stay in the plot", () => {
    for (const ys of [
      [50, 50, 50],
      [0, 1, 2, 99],
      [100, 100, 100, 98],
      [-20, 130],
    ]) {
      const told = spread(at(...ys), 0, 100, 14);
      expect(told).toHaveLength(ys.length);
      told.slice(1).forEach(({ y }, i) => expect(y - told[i]!.y).toBeGreaterThanOrEqual(14 - 1e-9));
      for (const { y } of told) expect(y).toBeGreaterThanOrEqual(0 - 1e-9);
      for (const { y } of told) expect(y).toBeLessThanOrEqual(100);
      const order = ys.map((y, i) => ({ y, i })).toSorted((a, b) => a.y - b.y);
      expect(told.map(({ text }) => Number(text))).toEqual(order.map(({ i }) => i));
    }
  });

  it("are left out where there is no room for all", () => {
    const told = spread(at(1, 2, 3, 4, 5), 0, 30, 14);
    expect(places(told)).toEqual([1, 15, 29].map((y) => Math.min(y, 30)));
    expect(spread(at(1, 2), 10, 0)).toEqual([]);
  });

  it("are cut to the width there is", () => {
    const measure = (text: string): number => 6 * text.length;
    expect(cut("Mamba", 60, measure)).toBe("Mamba");
    expect(cut("without selection", 60, measure)).toBe("without s…");
    expect(measure(cut("without selection", 60, measure))).toBeLessThanOrEqual(60);
  });
});
