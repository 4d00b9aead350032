import { add, div, mul, square, sub, type Tensor } from "@statespace/core";
import { log1p } from "@statespace/core/ops";
import { angleT } from "./angle.ts";
import {
  complexDivT,
  complexExpm1T,
  complexExpT,
  complexMulT,
  complexReciprocalT,
  complexScaleT,
  type ComplexTensor,
} from "./complexTensor.ts";

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

/**
 * log ABar, without the cancellation of taking it from ABar: delta A for ZOH; for the bilinear rule, with z = delta A / 2,
 * log((1 + z) / (1 - z)) = log1p(4 Re z / |1 - z|^2) / 2 + i angle(1 - |z|^2 + 2 i Im z).
 */
export function logABarT(rule: "zoh" | "bilinear", A: ComplexTensor, delta: Tensor): ComplexTensor {
  const z = complexScaleT(A, delta);
  if (rule === "zoh") return z;
  const half = complexScaleT(z, 0.5);
  const distance = add(square(sub(1, half.re)), square(half.im));
  const norm = add(square(half.re), square(half.im));
  return { re: mul(log1p(div(mul(half.re, 4), distance)), 0.5), im: angleT(sub(1, norm), mul(half.im, 2)) };
}
