import { Rng } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { ALGORITHMS, countCombinations, play, roundsOf, type Step } from "../../src/pages/scan/compute/rounds.ts";

/** The definition: x_t = a_t x_{t-1} + b_t from 0. */
function states(steps: readonly Step[]): number[] {
  let x = 0;
  return steps.map(({ a, b }) => (x = a * x + b));
}

describe.each(ALGORITHMS)("%s scan", (algorithm) => {
  it.each([4, 8, 16, 64])("ends in the states of the recurrence for %i elements", (l) => {
    const rng = new Rng(l);
    const steps = Array.from({ length: l }, () => ({ a: rng.uniform(0.2, 1), b: rng.normal() }));
    const final = play(steps, roundsOf(algorithm, l, 4)).at(-1)!;
    // a few dozen float64 roundings of numbers near 1
    states(steps).forEach((x, t) => expect(Math.abs(final[t]!.b - x)).toBeLessThan(1e-13));
  });

  it("never reads within a round what the same round writes", () => {
    for (const { pairs } of roundsOf(algorithm, 16, 4)) {
      const written = new Set(pairs.map(({ to }) => to));
      expect(written.size).toBe(pairs.length);
      expect(pairs.some(({ from }) => written.has(from))).toBe(false);
    }
  });
});

it("the tree trades work for rounds", () => {
  expect(roundsOf("sequential", 64, 4)).toHaveLength(63);
  expect(roundsOf("tree", 64, 4)).toHaveLength(11); // 2 log2 l - 1
  expect(countCombinations(roundsOf("tree", 64, 4))).toBe(2 * 64 - 2 - 6); // 2 l - 2 - log2 l
});
