import { describe, expect, it } from "vitest";
import { ArgumentError, Rng, type PackedFormat } from "../../src/index.ts";
import { fromHalf, packBytes, packFromF32, QUANT_BLOCK, toHalf, unpackToF32 } from "../../src/makers.ts";

const roundTrip = (values: Float32Array, shape: readonly number[], format: PackedFormat): Float32Array =>
  unpackToF32(packFromF32(values, shape, format), shape, format);
const normals = (seed: number, length: number, std = 1): Float32Array =>
  Float32Array.from(new Rng(seed).normals(length, 0, std));

describe("halfs", () => {
  it("all 65,536 survive a round trip, NaN as NaN", () => {
    const changed = Array.from({ length: 0x10000 }, (_, half) => half).filter((half) => {
      const value = fromHalf(half);
      return Number.isNaN(value) ? !Number.isNaN(fromHalf(toHalf(value))) : toHalf(value) !== half;
    });
    expect(changed).toEqual([]);
  });
  it("agree with the definition at the corners", () => {
    const table: [number, number][] = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3c00, 1],
      [0x3c01, 1 + 2 ** -10],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
      [0x8001, -(2 ** -24)],
    ];
    for (const [half, value] of table) expect([fromHalf(half), toHalf(value)]).toEqual([value, half]);
    expect(Object.is(fromHalf(0x8000), -0)).toBe(true);
    expect(toHalf(-0)).toBe(0x8000);
  });
  it("round to nearest, ties to even, on both sides of every boundary", () => {
    for (const low of [0x0000, 0x0001, 0x03fe, 0x03ff, 0x0400, 0x3bff, 0x3c00, 0x3c01, 0x7bfe]) {
      for (const sign of [0, 0x8000]) {
        const [a, b] = [fromHalf(low), fromHalf(low + 1)];
        const middle = (a + b) / 2;
        const nudge = (b - a) / 64;
        const s = sign ? -1 : 1;
        expect(toHalf(s * middle)).toBe(sign | (low % 2 === 0 ? low : low + 1));
        expect(toHalf(s * (middle - nudge))).toBe(sign | low);
        expect(toHalf(s * (middle + nudge))).toBe(sign | (low + 1));
      }
    }
  });
  it("overflow starts half way past the largest", () => {
    expect(toHalf(65519.996)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(-1e9)).toBe(0xfc00);
  });
});

describe("packed formats", () => {
  it("f16 errs by at most half an ulp: 2^-11 relatively, 2^-25 below 2^-14", () => {
    const values = Float32Array.from([...normals(1, 1000), ...normals(2, 1000, 1e-5), 0, -0]);
    const back = roundTrip(values, [values.length], "f16");
    values.forEach((x, i) =>
      expect(Math.abs(back[i]! - x)).toBeLessThanOrEqual(Math.max(2 ** -11 * Math.abs(x), 2 ** -25)),
    );
  });
  it("bf16 errs by at most half an ulp of its 8-bit significand: 2^-8 relatively, over the whole range of f32", () => {
    const values = Float32Array.from([...normals(3, 1000), ...normals(4, 100, 1e-30), ...normals(5, 100, 1e30)]);
    const back = roundTrip(values, [values.length], "bf16");
    values.forEach((x, i) => expect(Math.abs(back[i]! - x)).toBeLessThanOrEqual(2 ** -8 * Math.abs(x)));
    const odd = roundTrip(
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN, 1 + 2 ** -8, 1 + 3 * 2 ** -8),
      [4],
      "bf16",
    );
    expect([...odd]).toEqual([Number.POSITIVE_INFINITY, Number.NaN, 1, 1 + 2 ** -6]); // ties to even
  });
  it.each([1, 1e6, 1e-3, 1e-6, 1e-7, 1e-40])(
    "q8 errs by half a step of its block, and by what its stored scale is off for each step, about %d",
    (std) => {
      const values = normals(6, 64 * QUANT_BLOCK, std);
      const packed = packFromF32(values, [64, QUANT_BLOCK], "q8");
      const back = unpackToF32(packed, [64, QUANT_BLOCK], "q8");
      for (let block = 0; block < 64; block++) {
        const part = values.subarray(block * QUANT_BLOCK, (block + 1) * QUANT_BLOCK);
        const levels = new Int8Array(packed.buffer, block * 34 + 2, QUANT_BLOCK);
        // Values are rounded to whole steps of d, as ggml does, and d is then stored as a half: of a normal one 2^-11 of it is lost, of one below 2^-14 2^-25.
        const d = Math.fround(part.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 127);
        const lost = Math.abs(fromHalf(packed[block * 34]! | (packed[block * 34 + 1]! << 8)) - d);
        expect(lost).toBeLessThanOrEqual(Math.max(2 ** -11 * d, 2 ** -25));
        // The reciprocal of d and its product with a value, 127 steps at most, are rounded to 2^-24 each: below 2^-16 of a step.
        const bound = (i: number): number => (0.5 + 2 ** -16) * d + Math.abs(levels[i]!) * lost;
        // Of the smallest steps no float is the reciprocal; their scale is stored as 0.
        const none = d < 2 ** -128;
        part.forEach((x, i) =>
          expect(Math.abs(back[block * QUANT_BLOCK + i]! - x)).toBeLessThanOrEqual(none ? Math.abs(x) : bound(i)),
        );
        if (none) expect([...levels].every((level) => level === 0)).toBe(true);
        // So of a scale that is a normal half at most (1/2 + 127 * 2^-11 + 2^-16) steps: 0.562.
        if (d >= 2 ** -14)
          part.forEach((x, i) =>
            expect(Math.abs(back[block * QUANT_BLOCK + i]! - x)).toBeLessThanOrEqual(
              (0.5 + 127 * 2 ** -11 + 2 ** -16) * d,
            ),
          );
      }
    },
  );
  it("q4 errs by half a step, or by one where the side opposite to the extreme is cut at 7 steps", () => {
    const values = normals(7, 64 * QUANT_BLOCK);
    const back = roundTrip(values, [64, QUANT_BLOCK], "q4");
    for (let block = 0; block < 64; block++) {
      const part = values.subarray(block * QUANT_BLOCK, (block + 1) * QUANT_BLOCK);
      const extreme = part.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
      const step = (Math.abs(extreme) / 8) * (1 + 2 ** -11);
      part.forEach((x, i) => {
        const cut = -x * Math.sign(extreme) > 7.5 * step * (1 - 2 ** -10);
        expect(Math.abs(back[block * QUANT_BLOCK + i]! - x)).toBeLessThanOrEqual((cut ? 1 : 0.5 + 8 * 2 ** -11) * step);
      });
    }
  });
  it("q4 and q8 keep the layout of Q4_0 and Q8_0", () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i % 16) - 8);
    const q4 = packFromF32(values, [32], "q4");
    expect([...q4.subarray(0, 2)]).toEqual([0x00, 0x3c]); // scale 1, little endian
    // Low four bits: element i; high: element i + 16. Level = value + 8.
    expect([...q4.subarray(2)]).toEqual(Array.from({ length: 16 }, (_, i) => i | (i << 4)));
    const q8 = packFromF32(
      values.map((x) => (x * 127) / 8),
      [32],
      "q8",
    );
    // What lies between two levels goes away from zero, as C's roundf has it.
    const level = (x: number): number => Math.sign(x) * Math.round(Math.abs(x)) + 0;
    expect([...new Int8Array(q8.buffer, 2)]).toEqual([...values].map((x) => level((x * 127) / 8)));
  });
  it("blocks of zeros stay zeros", () => {
    for (const format of ["q8", "q4"] as const)
      expect(roundTrip(new Float32Array(32), [32], format).every((x) => x === 0)).toBe(true);
  });
  it("sizes", () => {
    expect((["f16", "bf16", "q8", "q4"] as const).map((format) => packBytes([3, 64], format))).toEqual([
      384, 384, 204, 108,
    ]);
  });
  it("errors", () => {
    expect(() => packBytes([4, 33], "q8")).toThrow(
      new ArgumentError("pack: the last axis must be a multiple of 32 for q8, got 33"),
    );
    expect(() => packFromF32(new Float32Array(32).fill(Number.NaN), [32], "q8")).toThrow(ArgumentError);
    for (const format of ["q4", "q8"] as const) {
      expect(() => packFromF32(new Float32Array(32).fill(1e9), [32], format)).toThrow(
        `pack: values must be finite and their ${format} scale at most 65504`,
      );
      // The least scale that no half is.
      const steps = format === "q4" ? 8 : 127;
      expect(() => packFromF32(new Float32Array(32).fill(65520 * steps), [32], format)).toThrow(ArgumentError);
      expect(roundTrip(new Float32Array(32).fill(65519 * steps), [32], format)[0]).toBe(65504 * steps);
    }
  });
});
