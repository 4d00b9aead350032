import { describe, expect, it } from "vitest";
import { ArgumentError, Rng, ShapeError } from "@statespace/core";
import {
  backwardEuler,
  bilinear,
  discretizeDiagonal,
  discretizeDiagonalVjp,
  forwardEuler,
  generalisedBilinear,
  zeroOrderHold,
  type Discretization,
} from "@statespace/core/discretization";
import { Matrix, matrixExp, phi1, phi1Derivative } from "@statespace/core/math";

const EPS = 2 ** -52;
const rules: Discretization[] = [
  zeroOrderHold,
  bilinear,
  generalisedBilinear(0.3),
  generalisedBilinear(0.5),
  forwardEuler,
  backwardEuler,
];
const named = rules.map((rule) => [rule.name, rule] as const);

function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (x, i) => Math.abs(x - b[i])).reduce((max, x) => Math.max(max, x), 0);
}

/** A damped oscillator with an input: not normal, not diagonal. */
const A = Matrix.of([
  [-0.4, -2, 0.3],
  [1.5, -0.3, 0],
  [0.2, 0.6, -0.8],
]);
const B = Matrix.of([
  [1, 0],
  [0.5, -1],
  [0, 2],
]);

/** The state at t = 1 from x_0 = 1 under the held input (1, -1), by the rule and exactly. */
function errorAtOne(rule: Discretization, steps: number): number {
  const drive = Matrix.column([1, -1]);
  const take = (system: { ABar: Matrix; BBar: Matrix }, x: Matrix): Matrix =>
    system.ABar.times(x).plus(system.BBar.times(drive));
  const system = rule.dense(A, B, 1 / steps);
  let x = Matrix.column([1, 1, 1]);
  for (let k = 0; k < steps; k++) x = take(system, x);
  const augmented = new Matrix(5, 5).withBlock(0, 0, A).withBlock(0, 3, B); // inputs as states that stay
  const exact = matrixExp(augmented).apply([1, 1, 1, 1, -1]);
  return maxDifference(x.data, exact.subarray(0, 3));
}

it("zoh is exact for held input, whatever the step", () => {
  for (const steps of [1, 8, 64, 512]) expect(errorAtOne(zeroOrderHold, steps)).toBeLessThan(32 * EPS * (steps + 1)); // a few roundings a step
  expect(zeroOrderHold.order).toBe(Infinity);
});

describe.each(named.filter(([, rule]) => rule !== zeroOrderHold))("%s", (_, rule) => {
  it(`has the order it declares: ${rule.order}`, () => {
    const steps = [32, 64, 128, 256, 512];
    const errors = steps.map((count) => errorAtOne(rule, count));
    // least squares slope of log error over log step
    const x = steps.map((count) => -Math.log(count)),
      y = errors.map(Math.log);
    const mean = (v: number[]): number => v.reduce((s, e) => s + e, 0) / v.length;
    const slope =
      x.reduce((s, xi, i) => s + (xi - mean(x)) * (y[i] - mean(y)), 0) /
      x.reduce((s, xi) => s + (xi - mean(x)) ** 2, 0);
    // the next term of the error series is smaller by about delta <= 1/32, which bends the slope by a few hundredths; 0.15 leaves room
    expect(Math.abs(slope - rule.order)).toBeLessThan(0.15);
  });
});

describe.each(named)("%s", (_, rule) => {
  it("agrees between a diagonal matrix and its diagonal", () => {
    // real poles as 1 x 1 blocks, a conjugate pair as a rotation block
    const re = -0.7,
      im = 3;
    const dense = rule.dense(
      Matrix.of([
        [re, -im],
        [im, re],
      ]),
      Matrix.of([[1], [0.5]]),
      0.2,
    ); // acts on z = x + i y as re + i im
    const { ABar, BBar } = discretizeDiagonal(rule, Float64Array.of(re, im), Float64Array.of(1, 0.5), 0.2);
    expect(maxDifference(ABar, [dense.ABar.at(0, 0), dense.ABar.at(1, 0)])).toBeLessThan(8 * EPS);
    expect(maxDifference(BBar, dense.BBar.data)).toBeLessThan(8 * EPS);
  });

  it("takes a pure integrator: A = 0 gives x + delta B u", () => {
    const { ABar, BBar } = rule.dense(new Matrix(2, 2), Matrix.of([[1], [3]]), 0.25);
    expect([...ABar.data]).toEqual([1, 0, 0, 1]);
    expect(maxDifference(BBar.data, [0.25, 0.75])).toBeLessThan(EPS);
    const diagonal = discretizeDiagonal(rule, Float64Array.of(0, 0, -1e-18, 1e-18), Float64Array.of(1, 2, 1, 2), 0.25);
    expect(maxDifference(diagonal.ABar, [1, 0, 1, 0])).toBeLessThan(EPS);
    expect(maxDifference(diagonal.BBar, [0.25, 0.5, 0.25, 0.5])).toBeLessThan(EPS);
  });

  it("has the dense gradients that central differences see", () => {
    const rng = new Rng(1);
    const delta = 0.3;
    const gradient = { ABar: new Matrix(3, 3, rng.normals(9)), BBar: new Matrix(3, 2, rng.normals(6)) };
    const loss = (a: Matrix, b: Matrix, d: number): number => {
      const out = rule.dense(a, b, d);
      return out.ABar.dot(gradient.ABar) + out.BBar.dot(gradient.BBar);
    };
    const got = rule.denseVjp(A, B, delta, gradient);
    const h = 1e-5; // truncation h^2 and rounding eps / h are both near 1e-10 of O(1) quantities
    const nudged = (M: Matrix, k: number, by: number): Matrix =>
      new Matrix(
        M.rows,
        M.cols,
        M.data.map((x, i) => (i === k ? x + by : x)),
      );
    A.data.forEach((_, k) => {
      const slope = (loss(nudged(A, k, h), B, delta) - loss(nudged(A, k, -h), B, delta)) / (2 * h);
      expect(Math.abs(slope - got.A.data[k])).toBeLessThan(1e-8);
    });
    B.data.forEach((_, k) => {
      const slope = (loss(A, nudged(B, k, h), delta) - loss(A, nudged(B, k, -h), delta)) / (2 * h);
      expect(Math.abs(slope - got.B.data[k])).toBeLessThan(1e-8);
    });
    expect(Math.abs((loss(A, B, delta + h) - loss(A, B, delta - h)) / (2 * h) - got.delta)).toBeLessThan(1e-8);
  });

  it("has the diagonal gradients that central differences see, near A = 0 too", () => {
    const rng = new Rng(2);
    const delta = 0.4;
    const a = Float64Array.of(-0.5, 2, -3, -7, 0, 0, 1e-6, -1e-6),
      b = rng.normals(8);
    const gradient = { ABar: rng.normals(8), BBar: rng.normals(8) };
    const loss = (x: Float64Array, y: Float64Array, d: number): number => {
      const out = discretizeDiagonal(rule, x, y, d);
      return out.ABar.reduce((s, v, i) => s + v * gradient.ABar[i] + out.BBar[i] * gradient.BBar[i], 0);
    };
    const got = discretizeDiagonalVjp(rule, a, b, delta, gradient);
    const h = 1e-5; // as above
    const nudged = (v: Float64Array, k: number, by: number): Float64Array => v.map((x, i) => (i === k ? x + by : x));
    for (let k = 0; k < 8; k++) {
      expect(
        Math.abs((loss(nudged(a, k, h), b, delta) - loss(nudged(a, k, -h), b, delta)) / (2 * h) - got.A[k]),
      ).toBeLessThan(1e-8);
      expect(
        Math.abs((loss(a, nudged(b, k, h), delta) - loss(a, nudged(b, k, -h), delta)) / (2 * h) - got.B[k]),
      ).toBeLessThan(1e-8);
    }
    expect(Math.abs((loss(a, b, delta + h) - loss(a, b, delta - h)) / (2 * h) - got.delta)).toBeLessThan(1e-7); // sums 16 such terms
  });

  it("refuses steps and shapes that make no sense", () => {
    for (const delta of [0, -1, Number.NaN, Infinity]) {
      expect(() => rule.dense(A, B, delta)).toThrow(ArgumentError);
      expect(() => discretizeDiagonal(rule, new Float64Array(2), new Float64Array(2), delta)).toThrow(ArgumentError);
    }
    expect(() => rule.dense(new Matrix(2, 3), B, 1)).toThrow(ShapeError);
    expect(() => rule.dense(A, new Matrix(2, 1), 1)).toThrow(/B must be \[n, m\] = \[3, m\]/);
    expect(() => discretizeDiagonal(rule, new Float64Array(2), new Float64Array(4), 1)).toThrow(ShapeError);
  });
});

describe("phi_1", () => {
  it("joins its series and its closed form without a seam", () => {
    for (let k = 0; k < 16; k++) {
      const angle = (2 * Math.PI * k) / 16;
      const at = (radius: number): { re: number; im: number } => ({
        re: radius * Math.cos(angle),
        im: radius * Math.sin(angle),
      });
      const inside = phi1(at(1 - 1e-12)),
        outside = phi1(at(1 + 1e-12));
      expect(Math.hypot(inside.re - outside.re, inside.im - outside.im)).toBeLessThan(4e-12); // |phi_1'| <= 1 on the circle, times 2e-12
      const slopeIn = phi1Derivative(at(1 - 1e-12)),
        slopeOut = phi1Derivative(at(1 + 1e-12));
      expect(Math.hypot(slopeIn.re - slopeOut.re, slopeIn.im - slopeOut.im)).toBeLessThan(4e-12);
    }
    expect(phi1({ re: 0, im: 0 })).toEqual({ re: 1, im: 0 });
    expect(phi1Derivative({ re: 0, im: 0 }).re).toBe(0.5);
    expect(phi1({ re: 1e-9, im: 0 }).re).toBeCloseTo(Math.expm1(1e-9) / 1e-9, 15);
  });

  it("refuses an alpha outside [0, 1]", () => {
    expect(() => generalisedBilinear(1.5)).toThrow(ArgumentError);
  });
});
