import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, selectiveScan, setBackend, tensor } from "@statespace/core";
import { expect, it } from "vitest";
import { jarOf } from "../../src/pages/selection/jar.ts";

it("the shares are what the recurrence makes of each word alone, and the rest is empty", () => {
  const deltas = [2, 0.05, 1, 0, 3.5];
  const { shares, empty, steps } = jarOf(deltas);
  for (let word = 0; word < deltas.length; word++) {
    let x = 0;
    deltas.forEach((delta, t) => (x = Math.exp(-delta) * x + (1 - Math.exp(-delta)) * (t === word ? 1 : 0)));
    expect(shares[word]).toBeCloseTo(x, 14);
  }
  expect(shares.reduce((sum, share) => sum + share, empty)).toBeCloseTo(1, 14);
  for (const { kept, written } of steps) expect(kept + written).toBeCloseTo(1, 14);
});

it("is the library's scan, whose B is that of zero-order hold for A = -1", async () => {
  await setBackend(cpuBackend());
  const deltas = [2, 0.05, 1, 0.3, 0.5];
  const of = (values: readonly number[]) => tensor(Float32Array.from(values), [1, 5, 1]);
  // the scan writes delta B u; (1 - exp(-delta)) / delta is what B then is
  const B = deltas.map((delta) => -Math.expm1(-delta) / delta);
  const { shares } = jarOf(deltas);
  for (let word = 0; word < 5; word++) {
    const u = deltas.map((_, t) => (t === word ? 1 : 0));
    const { y } = selectiveScan({
      u: of(u),
      delta: of(deltas),
      A: tensor([-1], [1, 1]),
      B: of(B),
      C: of([1, 1, 1, 1, 1]),
    });
    expect((await readFloats(y))[4]).toBeCloseTo(shares[word]!, 6);
  }
});
