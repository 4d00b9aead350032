import { describe, expect, it } from "vitest";
import { ArgumentError, Rng } from "@statespace/core";

describe("Rng", () => {
  it("repeats for a seed and differs between seeds", () => {
    const draw = (seed: number): number[] => Array.from(new Rng(seed).uniforms(8));
    expect(draw(1)).toEqual(draw(1));
    expect(new Set([...draw(0), ...draw(1), ...draw(-1), ...draw(2 ** 40)]).size).toBe(32);
  });

  it("goes on from a saved state, bit for bit, through JSON", () => {
    const rng = new Rng(7);
    rng.normals(13);
    const resumed = Rng.fromState(JSON.parse(JSON.stringify(rng.state())) as number[]);
    expect(Array.from(resumed.normals(20))).toEqual(Array.from(rng.normals(20)));
    expect(resumed.integer(1000)).toBe(rng.integer(1000));
  });

  it("has the moments of its distributions", () => {
    const count = 200_000;
    const rng = new Rng(11);
    const mean = (values: Float64Array): number => values.reduce((s, x) => s + x, 0) / count;
    const normals = rng.normals(count),
      uniforms = rng.uniforms(count, -1, 1);
    // five standard errors: 5 / sqrt(count), with the deviation of x^2 (sqrt 2) and x^4 (sqrt 96) of a normal
    const error = 5 / Math.sqrt(count);
    expect(Math.abs(mean(normals))).toBeLessThan(error);
    expect(Math.abs(mean(normals.map((x) => x * x)) - 1)).toBeLessThan(Math.SQRT2 * error);
    expect(Math.abs(mean(normals.map((x) => x ** 4)) - 3)).toBeLessThan(Math.sqrt(96) * error);
    expect(Math.abs(mean(uniforms))).toBeLessThan(error * Math.sqrt(1 / 3));
    expect(Math.abs(mean(uniforms.map((x) => x * x)) - 1 / 3)).toBeLessThan(error * Math.sqrt(4 / 45));
  });

  it("draws integers evenly and shuffles into a permutation", () => {
    const rng = new Rng(5);
    const counts = new Float64Array(7);
    for (let i = 0; i < 70_000; i++) counts[rng.integer(7)]++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000)); // five deviations
    const items = rng.shuffle(Array.from({ length: 50 }, (_, i) => i));
    expect(items).not.toEqual(items.toSorted((a, b) => a - b));
    expect(new Set(items).size).toBe(50);
  });

  it("refuses seeds, states and bounds that make no sense", () => {
    expect(() => new Rng(0.5)).toThrow(ArgumentError);
    expect(() => new Rng(Number.NaN)).toThrow(ArgumentError);
    expect(() => Rng.fromState([0, 0, 0, 0])).toThrow(ArgumentError);
    expect(() => Rng.fromState([1, 2, 3])).toThrow(ArgumentError);
    expect(() => new Rng(1).integer(0)).toThrow(ArgumentError);
  });
});
