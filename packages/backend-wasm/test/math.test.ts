import {
  exp,
  gelu,
  log,
  readFloats,
  setBackend,
  sigmoid,
  silu,
  softplus,
  stopBackend,
  tanh,
  sin,
  cos,
  tensor,
  type Tensor,
} from "@statespace/core";
import { erf, expm1, log1p, rsqrt, pow } from "@statespace/core/ops";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wasmBackend } from "../src/index.ts";

/** Arguments where naive float formulas lose digits: tails, the switch of branches, overflow's edge. */
const EDGES = [
  -104, -103, -89, -88.5, -87.4, -40, -20, -17, -15, -10, -1, -0.5, -1e-3, -1e-7, -1e-20, 0, 1e-20, 1e-7, 1e-3, 0.3466,
  0.5, 1, 2, 10, 15, 20, 21, 40, 88.5, 88.7, 89, 100,
];
/** Evenly and, in powers of two, from 2^-40 to 2^6, of both signs. */
function samples(): number[] {
  const out = [...EDGES];
  for (let i = 0; i < 2000; i++) out.push(-90 + 0.09 * i, 2 ** (-40 + 0.023 * i), -(2 ** (-40 + 0.023 * i)));
  return out.map(Math.fround);
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus64 = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** erfc in double by its continued fraction (large x) or series (small). */
function erfc64(x: number): number {
  if (x < 0) return 2 - erfc64(-x);
  if (x < 2) {
    let term = x;
    let total = x;
    for (let k = 1; k < 60; k++) total += (term *= (-x * x) / k) / (2 * k + 1);
    return 1 - (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = x;
  for (let k = 120; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
function erf64(x: number): number {
  if (Math.abs(x) >= 2) return 1 - erfc64(x);
  let term = x;
  let total = x;
  for (let k = 1; k < 60; k++) total += (term *= (-x * x) / k) / (2 * k + 1);
  return (2 / Math.sqrt(Math.PI)) * total;
}

interface Case {
  readonly name: string;
  readonly run: (x: Tensor) => Tensor;
  readonly exact: (x: number) => number;
  /** Units in the last place (2^-23 of the value); a result below the smallest normal float is judged by its absolute spacing. */
  readonly ulps: number;
  readonly from?: number;
  readonly to?: number;
}

// Measured maxima of the two flavours stand behind each bound.
const cases: readonly Case[] = [
  { name: "exp", run: exp, exact: Math.exp, ulps: 2 }, // 1.1
  { name: "expm1", run: expm1, exact: Math.expm1, ulps: 3 }, // 1.7
  { name: "log", run: log, exact: Math.log, ulps: 2, from: 0 }, // 0.9
  { name: "log1p", run: log1p, exact: Math.log1p, ulps: 3, from: -1 }, // 1.4
  { name: "sigmoid", run: sigmoid, exact: logistic, ulps: 3 }, // 2.1
  { name: "softplus", run: softplus, exact: softplus64, ulps: 4 }, // 2.6
  // Below -87 the sigmoid in it is denormal and has fewer digits itself.
  { name: "silu", run: silu, exact: (x) => x * logistic(x), ulps: 4, from: -87 }, // 2.4
  { name: "tanh", run: tanh, exact: Math.tanh, ulps: 4 }, // 2.6
  { name: "erf", run: erf, exact: erf64, ulps: 4 }, // 2.2
  // Below -9 the square in the exponent multiplies the rounding of x / sqrt 2.
  { name: "gelu", run: gelu, exact: (x) => 0.5 * x * erfc64(-x * Math.SQRT1_2), ulps: 8, from: -2 },
  { name: "rsqrt", run: rsqrt, exact: (x) => 1 / Math.sqrt(x), ulps: 2, from: 1e-30 },
];

describe.each(["plain", "relaxed"] as const)("functions of the %s binary", (flavour) => {
  beforeAll(() => setBackend(wasmBackend({ flavour, threads: 1 })));
  afterAll(() => stopBackend("wasm"));

  it.each(cases)("$name keeps its last digits", async ({ run, exact, ulps, from = -Infinity, to = Infinity }) => {
    const xs = samples().filter((x) => x >= from && x <= to);
    const ys = await readFloats(run(tensor(xs)));
    let worst = { x: 0, y: 0, want: 0, error: 0 };
    xs.forEach((x, i) => {
      const want = exact(x);
      if (Math.fround(want) === ys[i]) return;
      const spacing = Math.max(2 ** -149, 2 ** (Math.floor(Math.log2(Math.abs(want))) - 23));
      const error = Number.isFinite(Math.fround(want)) ? Math.abs(ys[i]! - want) / spacing : Number.POSITIVE_INFINITY;
      if (!(error <= worst.error)) worst = { x, y: ys[i]!, want, error };
    });
    expect(worst.error, JSON.stringify(worst)).toBeLessThanOrEqual(ulps);
  });

  it("sine and cosine keep theirs far from zero", async () => {
    const xs = [...samples(), ...Array.from({ length: 500 }, (_, i) => Math.fround(1000.1 * i * i))];
    const [sines, cosines] = [await readFloats(sin(tensor(xs))), await readFloats(cos(tensor(xs)))];
    xs.forEach((x, i) => {
      // Absolute: next to a zero the argument's own spacing is what matters.
      expect(Math.abs(sines[i]! - Math.sin(x))).toBeLessThanOrEqual(2 ** -23);
      expect(Math.abs(cosines[i]! - Math.cos(x))).toBeLessThanOrEqual(2 ** -23);
    });
  });

  it("powers round once", async () => {
    const bases = Array.from({ length: 400 }, (_, i) => Math.fround(0.01 + 0.05 * i));
    for (const exponent of [-7.5, -1, -0.5, 0, 0.5, 1, 2, 3.25, 9]) {
      const ys = await readFloats(pow(tensor(bases), exponent));
      bases.forEach((base, i) => {
        const want = base ** Math.fround(exponent);
        expect(Math.abs(ys[i]! - want)).toBeLessThanOrEqual(2 ** -24 * 1.01 * Math.abs(want));
      });
    }
  });

  it("infinity and NaN come out as IEEE has them", async () => {
    const x = tensor([Number.NaN, Infinity, -Infinity]);
    expect([...(await readFloats(exp(x)))]).toEqual([Number.NaN, Infinity, 0]);
    expect([...(await readFloats(softplus(x)))]).toEqual([Number.NaN, Infinity, 0]);
    expect([...(await readFloats(sigmoid(x)))]).toEqual([Number.NaN, 1, 0]);
    expect([...(await readFloats(tanh(x)))]).toEqual([Number.NaN, 1, -1]);
    expect([...(await readFloats(erf(x)))]).toEqual([Number.NaN, 1, -1]);
    expect([...(await readFloats(log(x)))]).toEqual([Number.NaN, Infinity, Number.NaN]);
    expect([...(await readFloats(log(tensor([0, -1]))))]).toEqual([-Infinity, Number.NaN]);
  });
});
