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

/** Rows up to this many are multiplied in 8-bit integers by q8 and q4 (linear/index.ts). */
const FEW_ROWS = 8;

describe.each<PackedFormat>(["f16", "bf16", "q8", "q4"])("%s weights", (format) => {
  const [n, k] = [37, 320]; // n: a last group of one row; k: more than one block of the packed product
  const values = noise(n * k, 3);
  const exact = unpackToF32(packFromF32(values, [n, k], format), [n, k], format);

  it.each([1, 3, 8, 9, 40])("multiply %i rows", async (m) => {
    const x = noise(m * k, 5);
    const bias = noise(n, 7);
    const weight = packWeight(values, [n, k], format);
    const y = await readFloats(linear({ x: tensor(x, [m, k]), weight, bias: tensor(bias) }).y);
    const integers = (format === "q8" || format === "q4") && m <= FEW_ROWS;
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
