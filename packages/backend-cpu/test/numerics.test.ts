import { describe, expect, it } from "vitest";
import { erf, erfc, gelu, sigmoid, silu, siluGradient, softplus } from "../src/math.ts";

const relative = (got: number, want: number): number => Math.abs(got - want) / Math.abs(want);
/** Half an ulp of f32: what is better than this is lost in storing. */
const HALF_ULP = 2 ** -24;

describe("softplus, judged relatively", () => {
  // e^x (1 - e^x / 2) for the far left; x + e^-x for the far right.
  const table: [number, number][] = [
    [-40, 4.248354255291589e-18],
    [-17, 4.139937633089748e-8],
    [-15, 3.059022737137205e-7],
    [-1, 0.31326168751822286],
    [0, 0.6931471805599453],
    [20, 20.000000002061153],
    [21, 21.00000000075826],
    [88.5, 88.5],
    [89, 89],
  ];
  it.each(table)("softplus(%f)", (x, want) => expect(relative(softplus(x), want)).toBeLessThan(HALF_ULP));
  it("keeps infinities and NaN", () => {
    expect(softplus(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(softplus(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(softplus(Number.NaN)).toBeNaN();
  });
});

describe("error function", () => {
  // Abramowitz and Stegun, tables 7.1 and 7.3, to the digits f64 holds.
  const table: [number, number][] = [
    [1e-20, 1.1283791670955126e-20],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [2, 0.9953222650189527],
    [2.4999, 0.9995928300996666],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [6, 1],
    [40, 1],
  ];
  it.each(table)("erf(%f)", (x, want) => {
    expect(relative(erf(x), want)).toBeLessThan(1e-14);
    expect(erf(-x)).toBe(-erf(x));
  });
  it("erfc keeps its relative accuracy far out", () => {
    expect(relative(erfc(3), 2.209049699858544e-5)).toBeLessThan(1e-13);
    expect(relative(erfc(10), 2.088487583762545e-45)).toBeLessThan(1e-13);
    expect(relative(erfc(1), 0.15729920705028513)).toBeLessThan(1e-13);
  });
  it("series and fraction meet", () => {
    for (const x of [1, 1.5, 2, 2.4, 2.6]) expect(Math.abs(erf(x) + erfc(x) - 1)).toBeLessThan(1e-14);
  });
  it("infinities and NaN", () => {
    expect(erf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(erf(Number.NEGATIVE_INFINITY)).toBe(-1);
    expect(erf(Number.NaN)).toBeNaN();
  });
});

describe("activations far out", () => {
  it("gelu of -5 is -5 Phi(-5)", () => expect(relative(gelu(-5), -1.4332578593959695e-6)).toBeLessThan(1e-12));
  it("gelu at the infinities", () => {
    expect(gelu(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(gelu(Number.NEGATIVE_INFINITY)).toBe(0);
  });
  it("silu and sigmoid do not overflow", () => {
    expect(silu(1000)).toBe(1000);
    expect(silu(-1000)).toBe(-0);
    expect(sigmoid(-1000)).toBe(0);
    expect(siluGradient(-1000)).toBe(-0);
    expect(siluGradient(1000)).toBe(1);
  });
});
