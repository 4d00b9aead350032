import { Rng } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { fitPowerLaw } from "../../src/pages/why/fit.ts";
import { trainingLaw } from "../../src/pages/why/crossing.ts";
import { KINDS, type Kind } from "../../src/pages/why/compute/names.ts";
import { RECORDED } from "../../src/pages/why/recorded.ts";

const LENGTHS = [32, 64, 128, 256, 512, 1024, 2048];

describe("the slope of a power law", () => {
  it("is exact for exact points, whatever the short ones cost", () => {
    const points = LENGTHS.map((x) => ({ x, y: x <= 128 ? 5 : 0.01 * x ** 1.5, low: 1, high: 1 }));
    const found = fitPowerLaw(points)!;
    expect(found.slope).toBeCloseTo(1.5, 10);
    expect(found.error).toBeLessThan(1e-6);
  });

  it("lies within three of its errors of the truth, where the last doubling alone is noise", () => {
    const rng = new Rng(3);
    let [worstDoubling, worstFit] = [0, 0];
    for (let trial = 0; trial < 300; trial++) {
      const points = LENGTHS.map((x) => {
        const y = 0.01 * x * Math.exp(rng.normal(0, 0.25));
        return { x, y, low: y * 0.8, high: y * 1.25 };
      });
      const found = fitPowerLaw(points)!;
      expect(Math.abs(found.slope - 1)).toBeLessThan(3 * found.error + 0.25);
      worstDoubling = Math.max(worstDoubling, Math.abs(Math.log2(points.at(-1)!.y / points.at(-2)!.y) - 1));
      worstFit = Math.max(worstFit, Math.abs(found.slope - 1));
    }
    expect(worstFit).toBeLessThan(worstDoubling / 2);
  });

  it("is not to be had from two points", () =>
    expect(fitPowerLaw(LENGTHS.slice(0, 2).map((x) => ({ x, y: x, low: x, high: x })))).toBeUndefined());
});

describe.each(["cpu", "wasm"] as const)("the recorded curves of %s", (backend) => {
  const { points, on } = RECORDED[backend];

  it("have every kind at every length, and what they are drawn to show", () => {
    expect(on).toContain(backend);
    for (const kind of KINDS) {
      const own = points.filter((point) => point.kind === kind);
      expect(own.map(({ l }) => l)).toEqual(expect.arrayContaining(LENGTHS));
      for (const { next, train } of own)
        for (const time of [next, ...(train === undefined ? [] : [train])]) {
          expect(time.low).toBeLessThanOrEqual(time.median);
          expect(time.high).toBeGreaterThanOrEqual(time.median);
        }
    }
    const bytes = (kind: string): number[] =>
      points.filter((point) => point.kind === kind).map(({ stateBytes }) => stateBytes);
    expect(new Set(bytes("mamba")).size).toBe(1);
    expect(bytes("attention").at(-1)! / bytes("attention")[0]!).toBeGreaterThan(50);
  });

  it("say of attention what the page says: it grows faster than the others, and its next token grows dearer", () => {
    const law = (kind: Kind): number => trainingLaw(points, kind)!.slope;
    for (const kind of ["gru", "s4d", "mamba"] as const) expect(law("attention")).toBeGreaterThan(law(kind) + 0.5);
    const next = points.filter(({ kind }) => kind === "attention").map((point) => point.next.median);
    expect(next.at(-1)!).toBeGreaterThan(3 * next[0]!);
  });
});
