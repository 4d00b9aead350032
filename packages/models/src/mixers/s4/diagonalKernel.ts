import { broadcastTo, reshape, type Tensor } from "@statespace/core";
import { vandermonde } from "@statespace/core/ops";
import {
  complexDivT,
  complexExpm1T,
  complexExpT,
  complexMap,
  complexMulT,
  complexScaleT,
  interleave,
  type ComplexTensor,
} from "../../layers/complexTensor.ts";
import { discretizeDiagonalT, logABarT } from "../../layers/diagonalDiscretize.ts";
import type { S4Config } from "./config.ts";
import type { S4System } from "./parameters.ts";

/** The discrete system of S4D and DSS. */
export interface DiscreteDiagonalSystem {
  readonly ABar: ComplexTensor; // [h, n]
  readonly BBar: ComplexTensor; // [h, n]
  readonly logABar: ComplexTensor; // [h, n]
}

/**
 * Discretizes a diagonal system. `dss` divides the ZOH gain by exp(delta A l) - 1, which normalises each state's filter over
 * its l taps as a softmax does (arXiv 2203.14343, section 3.2); Re A < 0 by parametrisation, so that no other branch is needed.
 */
export function discretizeS4d(
  { discretization, kernelLength }: S4Config,
  { A, B, delta }: S4System,
): DiscreteDiagonalSystem {
  const rule = discretization === "bilinear" ? "bilinear" : "zoh";
  const { ABar, gain } = discretizeDiagonalT(rule, A, delta);
  const logABar = logABarT(rule, A, delta);
  if (discretization !== "dss") return { ABar, BBar: complexMulT(gain, B), logABar };
  const z = complexScaleT(A, delta);
  const softmax = complexDivT(complexDivT(complexExpm1T(z), complexExpm1T(complexScaleT(z, kernelLength))), A);
  return { ABar: complexExpT(z), BBar: complexMulT(softmax, B), logABar: z };
}

/**
 * Filters 2 Re sum_n C_n ABar_n^t B_n, t < l, of a diagonal system.
 * @param C [c, h, n]
 * @param B [h, n], or [r, h, n] for several input vectors (the states of a batch)
 * @returns [r, c, h, l], r = 1 for a single B
 */
export function diagonalFilter(C: ComplexTensor, B: ComplexTensor, logABar: ComplexTensor, l: number): Tensor {
  const [c, h, n] = C.re.shape as [number, number, number];
  const r = B.re.shape.length === 3 ? B.re.shape[0]! : 1;
  const product = complexMulT(
    complexMap(C, (x) => reshape(x, [1, c, h, n])),
    complexMap(B, (x) => reshape(x, [r, 1, h, n])),
  );
  const weights = reshape(interleave(product), [r * c * h, n, 2]);
  const logs = reshape(broadcastTo(reshape(interleave(logABar), [1, h, n, 2]), [r * c, h, n, 2]), [r * c * h, n, 2]);
  return reshape(vandermonde({ C: weights, logABar: logs }, { seqLen: l }).y, [r, c, h, l]);
}
