import {
  embedding,
  linear,
  packWeight,
  readFloats,
  setBackend,
  stopBackend,
  tensor,
  type PackedFormat,
} from "@statespace/core";
import { packFromF32, unpackToF32 } from "@statespace/core/backend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wasmBackend } from "../src/index.ts";

beforeAll(() => setBackend(wasmBackend({ threads: 2 })));
afterAll(() => stopBackend("wasm"));

const noise = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 12.9898 * i) * Math.cos(0.37 * i * seed));

describe.each<PackedFormat>(["f16", "bf16", "q8", "q4"])("%s weights", (format) => {
  const [n, k] = [37, 320]; // n: a last group of one row; k: more than one block of the packed product
  const values = noise(n * k, 3);
  const exact = unpackToF32(packFromF32(values, [n, k], format), [n, k], format);

  it.each([1, 3, 8, 9, 40])("multiply %i rows", async (m) => {
    const x = noise(m * k, 5);
    const bias = noise(n, 7);
    const weight = packWeight(values, [n, k], format);
    const y = await readFloats(linear({ x: tensor(x, [m, k]), weight, bias: tensor(bias) }).y);
    const integers = format === "q8" || format === "q4"; // of 8 bits: x is rounded too
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = bias[j]!;
        let size = Math.abs(sum);
        let rounding = 0;
        for (let block = 0; block < k; block += 32) {
          let peak = 0;
          for (let q = block; q < block + 32; q++) peak = Math.max(peak, Math.abs(x[i * k + q]!));
          for (let q = block; q < block + 32; q++) {
            sum += x[i * k + q]! * exact[j * k + q]!;
            size += Math.abs(x[i * k + q]! * exact[j * k + q]!);
            // x is rounded to 127 steps of its block's peak: half a step, and a little for the step's own rounding.
            if (integers) rounding += 0.51 * (peak / 127) * Math.abs(exact[j * k + q]!);
          }
        }
        // A dot product of k terms in float: each partial sum rounds once, and there are k / 16 of them in a lane.
        const bound = rounding + (k / 16 + 8) * 2 ** -24 * size;
        expect(Math.abs(y[i * n + j]! - sum)).toBeLessThanOrEqual(bound);
      }
    }
    weight.dispose();
  });

  it("let no NaN or infinity of x get lost", async () => {
    const weight = packWeight(values, [n, k], format);
    for (const m of [1, 2, 6, 40]) {
      const x = noise(m * k, 5);
      x[(m - 1) * k + 33] = Number.NaN;
      const y = await readFloats(linear({ x: tensor(x, [m, k]), weight }).y);
      expect(y.subarray(0, (m - 1) * n).every(Number.isFinite)).toBe(true);
      expect(y.subarray((m - 1) * n).every(Number.isNaN)).toBe(true);
      x[(m - 1) * k + 33] = Number.POSITIVE_INFINITY;
      const infinite = await readFloats(linear({ x: tensor(x, [m, k]), weight }).y);
      expect(infinite.subarray((m - 1) * n).some(Number.isFinite)).toBe(false);
    }
    weight.dispose();
  });

  it("look up rows exactly", async () => {
    const weight = packWeight(values, [n, k], format);
    const ids = [36, 0, 5, 5];
    const y = await readFloats(embedding({ ids: tensor(Int32Array.from(ids)), weight }).y);
    ids.forEach((id, row) => expect(y.subarray(row * k, (row + 1) * k)).toEqual(exact.subarray(id * k, (id + 1) * k)));
    weight.dispose();
  });

  it("read back as they were packed", async () => {
    const weight = packWeight(values, [n, k], format);
    expect(await readFloats(weight)).toEqual(exact);
    weight.dispose();
  });
});

it.each<PackedFormat | "f32">(["f32", "f16", "bf16", "q8", "q4"])(
  "products by %s give each row what it gets alone, bit for bit",
  async (format) => {
    const [m, n, k] = [23, 37, format === "q8" || format === "q4" ? 320 : 325];
    const x = noise(m * k, 5);
    const values = noise(n * k, 3);
    const weight = format === "f32" ? tensor(values, [n, k]) : packWeight(values, [n, k], format);
    const rows = async (from: number, count: number): Promise<Float32Array> =>
      readFloats(linear({ x: tensor(x.slice(from * k, (from + count) * k), [count, k]), weight }).y);
    const alone = await Promise.all(Array.from({ length: m }, (_, i) => rows(i, 1)));
    const expected = (from: number, count: number): Float32Array =>
      Float32Array.from(alone.slice(from, from + count).flatMap((row) => [...row]));
    for (const [from, count] of [
      [0, 2],
      [2, 3],
      [5, 4],
      [9, 7],
      [0, m],
    ] as const)
      expect(await rows(from, count)).toEqual(expected(from, count));
    weight.dispose();
  },
);
