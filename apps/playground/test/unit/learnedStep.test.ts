import { Rng } from "@statespace/core";
import { expect, it } from "vitest";
import { leak, learnStep, lossOf } from "../../src/pages/discretize/learnedStep.ts";

it.each([0.05, 0.1, 0.3, 0.5, 1, 2])("the step is found by its gradient: hidden %f", (hidden) => {
  const { deltas, losses } = learnStep(hidden);
  expect(deltas[0]).toBeCloseTo(0.5, 12);
  expect(Math.abs(Math.log(deltas.at(-1)! / hidden))).toBeLessThan(0.02);
  expect(losses.at(-1)!).toBeLessThan(1e-4);
});

it("the slope is that of central differences, and the channel the held input's exact answer", () => {
  const u = new Rng(5).uniforms(30, -1, 1);
  const wanted = leak(0.2, u);
  for (const delta of [0.05, 0.4, 1.5]) {
    const [h, at] = [1e-5, Math.log(delta)];
    const slope = (lossOf(at + h, u, wanted).value - lossOf(at - h, u, wanted).value) / (2 * h);
    expect(lossOf(at, u, wanted).slope).toBeCloseTo(slope, 8);
  }
  // x' = 1 - x from rest, held for delta a step, is 1 - exp(-delta k)
  leak(0.3, new Float64Array(10).fill(1)).forEach((x, k) => expect(x).toBeCloseTo(1 - Math.exp(-0.3 * (k + 1)), 12));
});
