import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Rng } from "@statespace/core";
import { LegSMemory, makeHippoLegS } from "@statespace/core/hippo";
import { Matrix } from "@statespace/core/math";
import { describe, expect, it } from "vitest";
import { basisOf, firstWaves } from "../../src/pages/s4/compute/inits.ts";
import { INITS } from "../../src/pages/s4/compute/names.ts";
import { overtakes } from "../../src/pages/mamba/growth.ts";
import { countCombinations, roundsOf, type Algorithm } from "../../src/pages/scan/compute/rounds.ts";

/** What the pages claim in words and in bars, computed once more by another way. */

const words = (page: string): string =>
  readFileSync(resolve(import.meta.dirname, `../../src/pages/${page}/messages.ts`), "utf8");

/** Legendre polynomial by its recurrence. */
function legendre(n: number, x: number): number {
  let [before, value] = [1, x];
  if (n === 0) return 1;
  for (let k = 1; k < n; k++) [before, value] = [value, ((2 * k + 1) * x * value - k * before) / (k + 1)];
  return value;
}

/** Integral over [0, 1] by the midpoint rule. */
function integral(f: (s: number) => number, points = 20_000): number {
  let sum = 0;
  for (let i = 0; i < points; i++) sum += f((i + 0.5) / points);
  return sum / points;
}

describe("5 HiPPO: which matrix acts on what", () => {
  // u over the history seen so far, time scaled to [0, 1]; later time t sees u(s / t)
  const u = (s: number): number => Math.sin(3 * s) + s * s;
  const [n, t, h] = [4, 1.3, 1e-3];
  const states =
    (weight: (i: number) => number) =>
    (time: number): number[] =>
      Array.from({ length: n }, (_, i) => weight(i) * integral((s) => u(s * time) * legendre(i, 2 * s - 1)));
  /** Largest departure from x' = (A x + B u) / t. */
  const departure = (of: (time: number) => number[], A: Matrix, B: Matrix): number => {
    const [before, now, after] = [of(t - h), of(t), of(t + h)];
    return Math.max(
      ...now.map((_, i) => {
        const expected = (now.reduce((sum, x, k) => sum + A.at(i, k) * x, 0) + B.at(i, 0) * u(t)) / t;
        return Math.abs((after[i]! - before[i]!) / (2 * h) - expected);
      }),
    );
  };
  const unscaled = makeHippoLegS(n, "unscaled");

  it("the unscaled one acts on inner products with Pₙ, not on coefficients of Pₙ", () => {
    expect(
      departure(
        states(() => 1),
        unscaled.A,
        unscaled.B,
      ),
    ).toBeLessThan(1e-5);
    // coefficients c of u = sum c_n P_n are (2n + 1) times the inner products
    expect(
      departure(
        states((i) => 2 * i + 1),
        unscaled.A,
        unscaled.B,
      ),
    ).toBeGreaterThan(0.1);
  });

  it("coefficients of Pₙ follow the matrix that core's docstring names", () => {
    const A = Matrix.of([
      [-1, 0, 0, 0],
      [-3, -2, 0, 0],
      [-5, -5, -3, 0],
      [-7, -7, -7, -4],
    ]);
    expect(
      departure(
        states((i) => 2 * i + 1),
        A,
        Matrix.column([1, 3, 5, 7]),
      ),
    ).toBeLessThan(1e-5);
  });

  it("the scaled one acts on coefficients of orthonormal polynomials", () => {
    const { A, B } = makeHippoLegS(n);
    expect(
      departure(
        states((i) => Math.sqrt(2 * i + 1)),
        A,
        B,
      ),
    ).toBeLessThan(1e-5);
    expect(new LegSMemory(n, "exact").coefficients).toHaveLength(n);
  });

  it("the page says so in both languages", () => {
    expect(words("hippo")).toContain("Unscaled: the state is the inner products");
    expect(words("hippo")).toContain("未缩放形式：状态是历史与普通多项式 Pₙ 的内积");
    expect(words("hippo")).not.toContain("S4 and Mamba start from these matrices");
    expect(words("hippo")).not.toContain("S4 与 Mamba 都从这些矩阵出发");
  });
});

describe("6 S4", () => {
  it.each(INITS)("no wave of %s is nothing", (init) => {
    const waves = firstWaves(basisOf(init, 16, 0.01), 6);
    expect(waves).toHaveLength(6);
    for (const wave of waves) expect(Math.max(...wave.map(Math.abs))).toBeGreaterThan(1e-6);
  });
});

describe("8 The scan", () => {
  const cost = (algorithm: Algorithm, l: number): { rounds: number; merges: number } => {
    const rounds = roundsOf(algorithm, l, 4);
    return { rounds: rounds.length, merges: countCombinations(rounds) };
  };

  it("chunks of 4 are as quick as the tree at 8 and 16 with fewer merges, and slower from 32 on", () => {
    for (const l of [8, 16]) {
      expect(cost("chunked", l).rounds).toBe(cost("tree", l).rounds);
      expect(cost("chunked", l).merges).toBeLessThan(cost("tree", l).merges);
    }
    for (const l of [32, 64, 256]) expect(cost("chunked", l).rounds).toBeGreaterThan(cost("tree", l).rounds);
    expect(words("scan")).toContain("as quick as the tree at 8 and at 16 elements, with fewer merges; from 32 on");
    expect(words("scan")).toContain("在 8 和 16 个元素时与树一样快，合并还更少；从 32 个起");
  });

  it("the tree does almost twice the work", () => {
    for (const l of [64, 256]) expect(cost("tree", l).merges / cost("sequential", l).merges).toBeCloseTo(1.9, 0);
  });
});

describe("9 Mamba at work: from where the cache is the larger", () => {
  it("is the first length whose cache exceeds the state, by counting", () => {
    const rng = new Rng(5);
    for (let i = 0; i < 200; i++) {
      const [state, token] = [1 + rng.integer(5000), 1 + rng.integer(300)];
      let t = 0;
      while (t * token <= state) t++;
      expect(overtakes(state, token)).toBe(t);
    }
  });

  it("equal is not larger", () => expect(overtakes(19 * 1024, 1024)).toBe(20));
});
