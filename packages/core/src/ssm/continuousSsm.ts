import type { Discretization } from "../discretization/discretization.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { eigenvalues } from "../math/eigenvalues.ts";
import { Matrix } from "../math/matrix.ts";
import { DiscreteSsm, type Sequence, type SequenceResult, expectSequence, expectState } from "./discreteSsm.ts";

/**
 * A continuous-time linear state space model:
 *
 *   x'(t) = A x(t) + B u(t)      the state equation
 *   y(t)  = C x(t) + D u(t)      the output equation
 *
 * with n states, m inputs and p outputs. Source: S4 (arXiv 2111.00396) equation 1.
 */
export class ContinuousSsm {
  readonly A: Matrix; // [n, n]
  readonly B: Matrix; // [n, m]
  readonly C: Matrix; // [p, n]
  readonly D: Matrix; // [p, m]

  /** D is 0 unless given. @throws ShapeError when the shapes do not fit together. */
  constructor(A: Matrix, B: Matrix, C: Matrix, D: Matrix = new Matrix(C.rows, B.cols)) {
    expectShapes("ContinuousSsm", A, B, C, D);
    this.A = A;
    this.B = B;
    this.C = C;
    this.D = D;
  }

  /** The state equation: x'(t) for a state [n] and an input [m]. */
  stateDerivative(state: Float64Array, u: Float64Array): Float64Array {
    const drive = this.B.apply(u);
    return this.A.apply(state).map((x, i) => x + drive[i]);
  }

  /** The output equation: y(t) [p] for a state [n] and an input [m]. */
  output(state: Float64Array, u: Float64Array): Float64Array {
    const direct = this.D.apply(u);
    return this.C.apply(state).map((y, i) => y + direct[i]);
  }

  /**
   * The continuous view: integrates the state equation with the classical Runge-Kutta method of order 4, input held over each step of
   * length delta, `substeps` integration steps in each. Output k is read at the end of step k, as the discrete views have it.
   * @returns outputs [l, p] and the final state [n].
   */
  simulate(
    inputs: Sequence,
    delta: number,
    options: { substeps?: number; initialState?: Float64Array } = {},
  ): SequenceResult {
    const { substeps = 16 } = options;
    if (!Number.isInteger(substeps) || substeps < 1)
      throw new ArgumentError(`simulate: substeps must be a positive integer, got ${substeps}`);
    expectSequence("simulate", inputs, this.B.cols);
    let state = expectState("simulate", options.initialState, this.A.rows);
    const outputs = inputs.map((u) => {
      for (let step = 0; step < substeps; step++) state = this.rungeKuttaStep(state, u, delta / substeps);
      return this.output(state, u);
    });
    return { outputs, finalState: state };
  }

  private rungeKuttaStep(x: Float64Array, u: Float64Array, h: number): Float64Array {
    const along = (k: Float64Array, step: number): Float64Array =>
      this.stateDerivative(
        x.map((value, i) => value + step * k[i]),
        u,
      );
    const k1 = this.stateDerivative(x, u);
    const k2 = along(k1, h / 2);
    const k3 = along(k2, h / 2);
    const k4 = along(k3, h);
    return x.map((value, i) => value + (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
  }

  /** The discrete system with step `delta` under a discretization rule. C and D carry over. */
  discretize(rule: Discretization, delta: number): DiscreteSsm {
    const { ABar, BBar } = rule.dense(this.A, this.B, delta);
    return new DiscreteSsm(ABar, BBar, this.C, this.D);
  }

  /** The poles: eigenvalues of A, [n, 2] interleaved. */
  poles(): Float64Array {
    return eigenvalues(this.A);
  }

  /** True when every pole lies in the open left half plane, so that the state forgets. */
  isStable(): boolean {
    return this.poles().every((part, i) => i % 2 === 1 || part < 0);
  }
}

/** @throws ShapeError unless A [n, n], B [n, m], C [p, n], D [p, m]. */
function expectShapes(op: string, A: Matrix, B: Matrix, C: Matrix, D: Matrix): void {
  const show = (M: Matrix): string => `[${M.rows}, ${M.cols}]`;
  if (A.rows !== A.cols) throw new ShapeError(`${op}: A must be [n, n], got ${show(A)}`);
  if (B.rows !== A.rows) throw new ShapeError(`${op}: B must be [n, m] = [${A.rows}, m], got ${show(B)}`);
  if (C.cols !== A.rows) throw new ShapeError(`${op}: C must be [p, n] = [p, ${A.rows}], got ${show(C)}`);
  if (D.rows !== C.rows || D.cols !== B.cols)
    throw new ShapeError(`${op}: D must be [p, m] = [${C.rows}, ${B.cols}], got ${show(D)}`);
}
