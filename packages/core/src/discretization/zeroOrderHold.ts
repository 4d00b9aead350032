import { complexExp, type Complex } from "../math/complex.ts";
import { Matrix } from "../math/matrix.ts";
import { matrixExp, matrixExpVjp } from "../math/matrixExp.ts";
import { phi1, phi1Derivative } from "../math/phi.ts";
import {
  expectSystem,
  type DenseGradients,
  type Discretization,
  type DiscreteMatrices,
  type ValueAndSlope,
} from "./discretization.ts";

/**
 * Zero-order hold: exact where u is constant over each step.
 *
 *   ABar = exp(delta A),  BBar = A^{-1} (exp(delta A) - I) B
 *
 * BBar is read off exp(delta [[A, B], [0, 0]]), which needs no inverse, so that a singular A (a pure integrator) is as good as any.
 * Source: Mamba (arXiv 2312.00752) equation 4; the augmented form is Van Loan 1978.
 */
export const zeroOrderHold: Discretization = {
  name: "zoh",
  order: Infinity,

  dense(A: Matrix, B: Matrix, delta: number): DiscreteMatrices {
    expectSystem("zoh", A, B, delta);
    const E = matrixExp(augmented(A, B).scaled(delta));
    return { ABar: E.block(0, 0, A.rows, A.rows), BBar: E.block(0, A.rows, A.rows, B.cols) };
  },

  denseVjp(A: Matrix, B: Matrix, delta: number, gradient: DiscreteMatrices): DenseGradients {
    expectSystem("zoh", A, B, delta);
    const system = augmented(A, B);
    const G = matrixExpVjp(system.scaled(delta), augmented(gradient.ABar, gradient.BBar));
    return {
      A: G.block(0, 0, A.rows, A.rows).scaled(delta),
      B: G.block(0, A.rows, A.rows, B.cols).scaled(delta),
      delta: G.dot(system),
    };
  },

  growth(z: Complex): ValueAndSlope {
    const value = complexExp(z);
    return { value, slope: value };
  },

  gain(z: Complex): ValueAndSlope {
    return { value: phi1(z), slope: phi1Derivative(z) };
  },
};

/** [[A, B], [0, 0]] */
function augmented(A: Matrix, B: Matrix): Matrix {
  const size = A.rows + B.cols;
  return new Matrix(size, size).withBlock(0, 0, A).withBlock(0, A.rows, B);
}
