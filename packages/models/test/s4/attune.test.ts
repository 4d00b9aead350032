import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor } from "@statespace/core";
import { beforeAll, expect, it } from "vitest";
import { attune } from "../../src/mixers/s4/dplrSteps.ts";

beforeAll(() => setBackend(cpuBackend()));

/** Of a side of 512 on the row is multiplied, power by power; below it the matrix is squared. */
it.each([
  [512, 11],
  [96, 11],
])("C (I - ABar^l) of a matrix of %i", async (side, l) => {
  const row = Float32Array.from({ length: side }, (_, i) => Math.sin(i + 1));
  const M = Float32Array.from({ length: side * side }, (_, i) => Math.cos(1 + i * 0.37) / Math.sqrt(side));
  let power = Float64Array.from(row);
  for (let step = 0; step < l; step++) {
    const next = new Float64Array(side);
    for (let i = 0; i < side; i++) for (let j = 0; j < side; j++) next[j]! += power[i]! * M[i * side + j]!;
    power = next;
  }
  const found = await readFloats(attune(tensor(row, [1, 1, side]), tensor(M, [1, side, side]), l));
  const largest = power.reduce((a, x) => Math.max(a, Math.abs(x)), 1);
  found.forEach((value, i) => expect(Math.abs(value - (row[i]! - power[i]!))).toBeLessThan(2e-5 * largest));
});
