import { ShapeError } from "../errors.ts";
import { complexAt, complexConj, complexMul, complexScale, complexSet, type Complex } from "../math/complex.ts";
import { expectStep, type Discretization } from "./discretization.ts";

/** The discrete form of n independent scalar equations: x_k = ABar x_{k-1} + BBar u_k. */
export interface DiagonalDiscrete {
  ABar: Float64Array; // [n, 2]
  BBar: Float64Array; // [n, 2]
}

/** Gradients of a real scalar with respect to the arguments of `discretizeDiagonal`; complex ones hold d/dRe + i d/dIm. */
export interface DiagonalGradients {
  A: Float64Array; // [n, 2]
  B: Float64Array; // [n, 2]
  delta: number;
}

/**
 * Discretizes a diagonal complex system x' = A x + B u, elementwise.
 * A, B: [n, 2] (re, im), interleaved; delta in the unit of time of A. Correct where A is 0 or near it.
 * @throws ShapeError when A and B differ in length; ArgumentError when delta is not positive and finite.
 */
export function discretizeDiagonal(
  rule: Discretization,
  A: Float64Array,
  B: Float64Array,
  delta: number,
): DiagonalDiscrete {
  expectPair(A, B, delta);
  const out = { ABar: new Float64Array(A.length), BBar: new Float64Array(A.length) };
  for (let n = 0; n < A.length / 2; n++) {
    const z = complexScale(complexAt(A, n), delta);
    complexSet(out.ABar, n, rule.growth(z).value);
    complexSet(out.BBar, n, complexMul(complexScale(rule.gain(z).value, delta), complexAt(B, n)));
  }
  return out;
}

/**
 * Pulls gradients with respect to ABar and BBar back to A, B and the step.
 * For an analytic w = f(z) the gradient of a real scalar is conj(f'(z)) times that of w.
 */
export function discretizeDiagonalVjp(
  rule: Discretization,
  A: Float64Array,
  B: Float64Array,
  delta: number,
  gradient: DiagonalDiscrete,
): DiagonalGradients {
  expectPair(A, B, delta);
  const out = { A: new Float64Array(A.length), B: new Float64Array(A.length), delta: 0 };
  for (let n = 0; n < A.length / 2; n++) {
    const a = complexAt(A, n),
      b = complexAt(B, n);
    const z = complexScale(a, delta);
    const gain = rule.gain(z);
    const gABar = complexAt(gradient.ABar, n),
      gBBar = complexAt(gradient.BBar, n);
    // dABar = growth' (delta dA + A ddelta), dBBar = delta gain dB + b (gain + z gain') ddelta + delta^2 b gain' dA
    const growthPull = pull(rule.growth(z).slope, gABar);
    const gainPull = pull(complexMul(b, gain.slope), gBBar);
    complexSet(out.A, n, {
      re: delta * growthPull.re + delta ** 2 * gainPull.re,
      im: delta * growthPull.im + delta ** 2 * gainPull.im,
    });
    complexSet(out.B, n, complexScale(pull(gain.value, gBBar), delta));
    out.delta += pull(a, growthPull).re + pull(complexMul(b, gain.value), gBBar).re + pull(z, gainPull).re;
  }
  return out;
}

function pull(slope: Complex, gradient: Complex): Complex {
  return complexMul(complexConj(slope), gradient);
}

function expectPair(A: Float64Array, B: Float64Array, delta: number): void {
  if (A.length % 2 !== 0 || A.length !== B.length) {
    throw new ShapeError(`discretizeDiagonal: A and B must both be [n, 2], got ${A.length} and ${B.length} elements`);
  }
  expectStep("discretizeDiagonal", delta);
}
