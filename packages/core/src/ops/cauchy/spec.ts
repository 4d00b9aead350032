import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { cauchyReference } from "./reference.ts";

/** Arguments of `cauchy`; complex, the last axis is (re, im). */
export interface CauchyInputs {
  /** Weights. */
  v: Tensor; // [h, n, 2]
  /** Poles. */
  w: Tensor; // [h, n, 2]
  /** Nodes; they get no gradient, since they depend on the length alone. */
  z: Tensor; // [l, 2]
}

/**
 * The Cauchy kernel over conjugate pairs: y[h, t] = sum_n ( v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)) ).
 *
 * Shapes: v, w [h, n, 2]; z [l, 2]; y [h, l, 2]; the last axis is (re, im). No node may lie on a pole.
 * Errors: ShapeError, DTypeError.
 * Source: S4 (arXiv 2111.00396), section 3.2 and appendix C.3; O((n + l) h) memory, where the dense filter needs O(n^2 l h) work. The CPU
 * backend sums large cases through `CauchyMultipole`, in O((n + l) h) work; the wasm and webgpu backends add up all n l h terms.
 */
export const cauchy: Op<CauchyInputs, Record<string, never>, { y: Tensor }> = defineOp<
  CauchyInputs,
  Record<string, never>,
  { y: Tensor }
>({
  name: "cauchy",
  inputs: { v: "h n 2", w: "h n 2", z: "l 2" },
  attrs: {},
  outputs: ({ dims: { h, l } }) => ({ y: [h!, l!, 2] }),
  differentiable: ["v", "w"],
  reference: cauchyReference,
  cost: ({ dims: { h, n, l } }) => ({ flops: 28 * h! * n! * l!, bytes: 4 * (4 * h! * n! + 2 * l! + 2 * h! * l!) }),
});
