import { ArgumentError, ShapeError } from "../errors.ts";
import type { Complex } from "../math/complex.ts";
import type { Matrix } from "../math/matrix.ts";

/** A discrete state equation x_k = ABar x_{k-1} + BBar u_k. */
export interface DiscreteMatrices {
  ABar: Matrix; // [n, n]
  BBar: Matrix; // [n, m]
}

/** Gradients of a scalar with respect to the arguments of `dense`. */
export interface DenseGradients {
  A: Matrix; // [n, n]
  B: Matrix; // [n, m]
  delta: number;
}

/** A function of a complex variable and its derivative, at one point. */
export interface ValueAndSlope {
  value: Complex;
  slope: Complex;
}

/**
 * A rule that turns x'(t) = A x(t) + B u(t) into x_k = ABar x_{k-1} + BBar u_k with step `delta`.
 * For a diagonal A every rule is two scalar functions of z = delta a: ABar = growth(z) and BBar = delta gain(z) b.
 */
export interface Discretization {
  /** The name that configurations and the golden vectors use. */
  readonly name: string;
  /** The global error is O(delta^order) where u is constant over each step; Infinity when there is none. */
  readonly order: number;
  /** @throws ShapeError when A is not square or B has other rows; ArgumentError when delta is not positive and finite. */
  dense(A: Matrix, B: Matrix, delta: number): DiscreteMatrices;
  /** Pulls gradients with respect to ABar and BBar back to A, B and delta. */
  denseVjp(A: Matrix, B: Matrix, delta: number, gradient: DiscreteMatrices): DenseGradients;
  growth(z: Complex): ValueAndSlope;
  gain(z: Complex): ValueAndSlope;
}

/** Shared argument check of every rule. */
export function expectSystem(op: string, A: Matrix, B: Matrix, delta: number): void {
  if (A.rows !== A.cols) throw new ShapeError(`${op}: A must be [n, n], got [${A.rows}, ${A.cols}]`);
  if (B.rows !== A.rows) throw new ShapeError(`${op}: B must be [n, m] = [${A.rows}, m], got [${B.rows}, ${B.cols}]`);
  expectStep(op, delta);
}

/** @throws ArgumentError unless delta is positive and finite. */
export function expectStep(op: string, delta: number): void {
  if (!(delta > 0 && Number.isFinite(delta)))
    throw new ArgumentError(`${op}: delta must be positive and finite, got ${delta}`);
}
