import { describe, expect, it } from "vitest";
import { keptBytes, recall } from "../../src/pages/hybrids/compute/recall.ts";
import { stepThrough, turns } from "../../src/pages/mamba3/compute/rotate.ts";
import { costs, duality } from "../../src/pages/ssd/compute/duality.ts";

describe("Mamba-2: one layer, three ways", () => {
  it.each([1, 2, 3, 7, 10])("matrix, recurrence and chunks of %i give one output", (chunk) => {
    for (const keep of [0, 0.5, 1]) {
      const told = duality({ l: 10, n: 4, chunk, keep, seed: 3 });
      told.byMatrix.forEach((y, t) => {
        expect(y).toBeCloseTo(told.byRecurrence[t]!, 12);
        expect(told.byChunks[t]).toBeCloseTo(y, 12);
      });
      told.M.forEach((row, t) =>
        row.forEach((value, s) => expect(value).toBeCloseTo(told.scores[t]![s]! * told.mask[t]![s]!, 12)),
      );
    }
  });

  it("without fading the mask is all ones; a token's own place always is one", () => {
    const { mask } = duality({ l: 6, n: 2, chunk: 2, keep: 1, seed: 1 });
    for (const row of mask) for (const value of row) expect(value).toBe(1);
    const fading = duality({ l: 6, n: 2, chunk: 2, keep: 0.2, seed: 1 });
    fading.mask.forEach((row, t) => expect(row[t]).toBe(1));
    expect(fading.mask[5]![0]).toBeCloseTo(
      fading.a.slice(1).reduce((product, a) => product * a, 1),
      12,
    );
  });

  it("the matrix costs four times as much at twice the length, recurrence and chunks twice", () => {
    const [half, whole] = [costs(4096, 128, 64, 64), costs(8192, 128, 64, 64)];
    expect(whole.matrix / half.matrix).toBeCloseTo(4, 2);
    expect(whole.chunks / half.chunks).toBe(2);
    expect(whole.recurrence / half.recurrence).toBe(2);
    // the page calls them about the same
    expect(Math.abs(whole.chunks / whole.recurrence - 1)).toBeLessThan(0.15);
  });
});

describe("Mamba-3", () => {
  it("half a turn at each one tells parity, at any length; a third of a turn does not", () => {
    const bits = Array.from({ length: 400 }, (_, i) => (i * i + (i >> 2)) & 1);
    let ones = 0;
    turns(bits, Math.PI, 0.8).forEach(({ odd, re, im }, i) => {
      ones += bits[i]!;
      expect(odd).toBe(ones % 2 === 1);
      expect(Math.hypot(re, im)).toBeCloseTo(1, 9);
    });
    expect(turns([1, 1, 1], (2 * Math.PI) / 3, 0.8).map(({ odd }) => odd)).toEqual([true, true, false]);
  });

  it("counting one end of a step is of first order, counting both of second", () => {
    for (const [lambda, order] of [
      [1, 1],
      [0.5, 2],
    ] as const) {
      const ratio = stepThrough(0.04, lambda).error / stepThrough(0.02, lambda).error;
      expect(Math.log2(ratio)).toBeCloseTo(order, 1);
    }
  });
});

describe("hybrids", () => {
  it("a state errs when it holds more pairs than its keys have directions; attention does not", () => {
    expect(recall(1, 8, 1).state).toBe(1);
    const [few, many] = [recall(2, 16, 1), recall(32, 8, 1)];
    expect(few.state).toBeGreaterThan(0.95);
    expect(many.state).toBeLessThan(0.6);
    expect(many.attention).toBeGreaterThan(0.95);
    // twice the key, twice the pairs, about as often right
    for (const n of [4, 8, 16])
      expect(Math.abs(recall(1.5 * n, 2 * n, 1).state - recall(0.75 * n, n, 1).state)).toBeLessThan(0.08);
  });

  it("the cache is in proportion to layers of attention and to length, the states to neither length", () => {
    const stack = { layers: 16, dModel: 1024, dState: 16 };
    const at = (attention: number, l: number): ReturnType<typeof keptBytes> => keptBytes({ ...stack, attention }, l);
    expect(at(2, 1000).cache * 8).toBe(at(16, 1000).cache);
    expect(at(2, 2000).cache).toBe(2 * at(2, 1000).cache);
    expect(at(2, 2000).states).toBe(at(2, 1000).states);
    expect(at(16, 1000).states).toBe(0);
    // 16-bit keys and values of 1,024 channels
    expect(at(1, 1).cache).toBe(4096);
  });
});
