import { expect, test } from "vitest";
import { fromFloat32Array, toFloat32Array, toFloat64Array } from "../src/index.ts";

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const bytes = new Uint8Array(all.buffer);

/** IEEE 754 binary16 by its definition, in float64. */
function halfValue(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloatValue(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 7) & 255;
  const fraction = bits & 127;
  if (exponent === 255) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -133 : sign * (1 + fraction / 128) * 2 ** (exponent - 127);
}

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
const half = (values: Float32Array, dtype: "F16" | "BF16"): Uint16Array =>
  new Uint16Array(fromFloat32Array(values, dtype).buffer);

test.each([
  ["F16", halfValue],
  ["BF16", bfloatValue],
] as const)("%s: all 65,536 patterns widen to their value and narrow back to themselves", (dtype, valueOf) => {
  const tensor = { dtype, shape: [65536], bytes };
  const wide = toFloat32Array(tensor);
  const wide64 = toFloat64Array(tensor);
  const back = half(wide, dtype);
  const wrong: string[] = [];
  for (let bits = 0; bits < 65536; bits++) {
    const value = valueOf(bits);
    if (!Object.is(wide[bits], value) || !Object.is(wide64[bits], value))
      wrong.push(`0x${bits.toString(16)}: ${wide[bits]} != ${value}`);
    // A signalling NaN comes back quiet; every other pattern is kept, payloads included.
    const quietBit = Number.isNaN(value) ? (dtype === "F16" ? 0x200 : 0x40) : 0;
    if (back[bits] !== (bits | quietBit))
      wrong.push(`0x${bits.toString(16)} came back as 0x${back[bits].toString(16)}`);
  }
  expect(wrong).toEqual([]);
});

test.each([
  ["F16", halfValue, 0x7c00, 2 ** 16],
  ["BF16", bfloatValue, 0x7f80, 2 ** 128],
] as const)(
  "%s: rounds to nearest, ties to even, at every boundary between neighbours",
  (dtype, valueOf, infinity, afterLargest) => {
    for (let bits = 0; bits < infinity; bits++) {
      const low = valueOf(bits);
      const high = bits + 1 === infinity ? afterLargest : valueOf(bits + 1);
      const middle = Math.fround((low + high) / 2);
      expect(middle).toBe((low + high) / 2); // representable, so that the tie is a real one
      const around = Float32Array.of(middle, middle, middle, -middle);
      bitsOf(around)[0]--;
      bitsOf(around)[2]++;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const expected = [bits, even, bits + 1, even | 0x8000];
      const actual = half(around, dtype);
      if (expected.some((value, i) => value !== actual[i]))
        expect.fail(`${dtype} around ${middle}: ${actual.join()} != ${expected.join()}`);
    }
  },
);

test("narrowing overflows to infinity and underflows to a zero of the same sign", () => {
  const extremes = Float32Array.of(3.4e38, -3.4e38, 1e-45, -1e-45, 65520, 65519.99);
  expect([...half(extremes, "F16")]).toEqual([0x7c00, 0xfc00, 0, 0x8000, 0x7c00, 0x7bff]);
});

test("both float8 formats: values of the format paper's table 1", () => {
  const e4m3 = toFloat32Array({
    dtype: "F8_E4M3",
    shape: [6],
    bytes: Uint8Array.of(0x01, 0x08, 0x38, 0x7e, 0xff, 0x80),
  });
  expect([...e4m3]).toEqual([2 ** -9, 2 ** -6, 1, 448, NaN, -0]);
  const e5m2 = toFloat32Array({
    dtype: "F8_E5M2",
    shape: [6],
    bytes: Uint8Array.of(0x01, 0x04, 0x3c, 0x7b, 0xfc, 0x7e),
  });
  expect([...e5m2]).toEqual([2 ** -16, 2 ** -14, 1, 57344, -Infinity, NaN]);
});
