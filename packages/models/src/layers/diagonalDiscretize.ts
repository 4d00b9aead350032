import { add, mul, type Tensor } from "@statespace/core";
import { complexDivT, complexExpm1T, complexExpT, complexMulT, complexReciprocalT, complexScaleT, type ComplexTensor } from "./complexTensor.ts";

/** A diagonal state matrix and the factor of its input matrix after discretization. */
export interface DiscreteDiagonal {
  /** [..., n] */
  readonly ABar: ComplexTensor;
  /** BBar = gain B, [..., n]. */
  readonly gain: ComplexTensor;
}

/**
 * Discretizes x' = A x + B u with a step for each state: ABar and the gain with BBar = gain B.
 * ZOH: exp(delta A) and (exp(delta A) - 1) / A; A must not be 0. Bilinear: (1 + delta A / 2) / (1 - delta A / 2) and delta / (1 - delta A / 2).
 */
export function discretizeDiagonalT(rule: "zoh" | "bilinear", A: ComplexTensor, delta: Tensor): DiscreteDiagonal {
  const z = complexScaleT(A, delta);
  if (rule === "zoh") return { ABar: complexExpT(z), gain: complexDivT(complexExpm1T(z), A) };
  const implicit = complexReciprocalT({ re: add(mul(z.re, -0.5), 1), im: mul(z.im, -0.5) });
  const explicit = { re: add(mul(z.re, 0.5), 1), im: mul(z.im, 0.5) };
  return { ABar: complexMulT(explicit, implicit), gain: complexScaleT(implicit, delta) };
}
