import { ArgumentError } from "../errors.ts";
import { complexDiv, complexMul, complexScale, type Complex } from "../math/complex.ts";
import { luFactor, luSolve } from "../math/linearSolve.ts";
import { Matrix } from "../math/matrix.ts";
import {
  expectSystem,
  type DenseGradients,
  type Discretization,
  type DiscreteMatrices,
  type ValueAndSlope,
} from "./discretization.ts";

/**
 * The generalised bilinear transform, which weighs the new state by alpha and the old one by 1 - alpha:
 *
 *   ABar = (I - alpha delta A)^{-1} (I + (1 - alpha) delta A),  BBar = (I - alpha delta A)^{-1} delta B
 *
 * alpha = 0 is forward Euler, 1 backward Euler, 1/2 the bilinear rule (Tustin), the only one of second order.
 * Source: LSSL (arXiv 2110.13985) equation 3; Zhang, Chen, Chen 2007.
 * @throws ArgumentError unless 0 <= alpha <= 1; `dense` throws it where I - alpha delta A is singular.
 */
export function generalisedBilinear(alpha: number): Discretization {
  if (!(alpha >= 0 && alpha <= 1))
    throw new ArgumentError(`generalisedBilinear: alpha must be in [0, 1], got ${alpha}`);
  return {
    name: `gbt(${alpha})`,
    order: alpha === 0.5 ? 2 : 1,

    dense(A: Matrix, B: Matrix, delta: number): DiscreteMatrices {
      expectSystem("generalisedBilinear", A, B, delta);
      const I = Matrix.identity(A.rows);
      const implicit = luFactor(I.plus(A, -alpha * delta));
      return { ABar: luSolve(implicit, I.plus(A, (1 - alpha) * delta)), BBar: luSolve(implicit, B.scaled(delta)) };
    },

    denseVjp(A: Matrix, B: Matrix, delta: number, gradient: DiscreteMatrices): DenseGradients {
      const { ABar, BBar } = this.dense(A, B, delta);
      // With M = I - alpha Z, Z = delta A: M dABar = dZ ((1 - alpha) I + alpha ABar) and M dBBar = alpha dZ BBar + d(delta B)
      const adjoint = luFactor(
        Matrix.identity(A.rows)
          .plus(A, -alpha * delta)
          .transposed(),
      );
      const Y = luSolve(adjoint, gradient.ABar); // M^{-T} gABar
      const W = luSolve(adjoint, gradient.BBar); // M^{-T} gBBar
      const Z = Y.scaled(1 - alpha)
        .plus(Y.times(ABar.transposed()), alpha)
        .plus(W.times(BBar.transposed()), alpha);
      return { A: Z.scaled(delta), B: W.scaled(delta), delta: Z.dot(A) + W.dot(B) };
    },

    growth(z: Complex): ValueAndSlope {
      const implicit = { re: 1 - alpha * z.re, im: -alpha * z.im };
      const explicit = { re: 1 + (1 - alpha) * z.re, im: (1 - alpha) * z.im };
      return {
        value: complexDiv(explicit, implicit),
        slope: complexDiv({ re: 1, im: 0 }, complexMul(implicit, implicit)),
      };
    },

    gain(z: Complex): ValueAndSlope {
      const value = complexDiv({ re: 1, im: 0 }, { re: 1 - alpha * z.re, im: -alpha * z.im });
      return { value, slope: complexScale(complexMul(value, value), alpha) };
    },
  };
}
