import {
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexSet,
  complexSub,
  type Complex,
} from "../math/complex.ts";
import { ndzeros } from "../math/ndarray.ts";
import { add, div, mul, sub } from "./binary.ts";
import { complexPair, complexParts } from "./complexPair.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { reshape } from "./movement.ts";
import { sum } from "./sum.ts";
import { neg, square } from "./unary.ts";

const inputs = {
  /** Weights. */
  v: "h n 2",
  /** Poles. */
  w: "h n 2",
  /** Nodes; they get no gradient, since they depend on the length alone. */
  z: "l 2",
} as const;

/**
 * The Cauchy kernel over conjugate pairs: y[h, t] = sum_n ( v_n / (z_t - w_n) + conj(v_n) / (z_t - conj(w_n)) ).
 *
 * Shapes: v, w [h, n, 2]; z [l, 2]; y [h, l, 2]; the last axis is (re, im). No node may lie on a pole.
 * Errors: ShapeError, DTypeError.
 * Source: S4 (arXiv 2111.00396), section 3.2 and appendix C.3; O((n + l) h) memory, where the dense filter needs O(n^2 l h) work. The CPU
 * backend sums large cases through `CauchyMultipole`, in O((n + l) h) work; the wasm and webgpu backends add up all n l h terms.
 */
export const cauchy: Op<typeof inputs, NoAttrs> = defineOp({
  name: "cauchy",
  inputs,
  attrs: {},
  outputs: { y: "h l 2" },
  differentiable: ["v", "w"],
  // The sum, term by term.
  reference: ({ v, w, z }) => {
    const [h, n] = v.shape as [number, number];
    const l = z.shape[0]!;
    const y = ndzeros([h, l, 2]);
    for (let i = 0; i < h; i++) {
      for (let t = 0; t < l; t++) {
        const node = complexAt(z.data, t);
        let sum: Complex = { re: 0, im: 0 };
        for (let k = 0; k < n; k++) {
          const weight = complexAt(v.data, i * n + k);
          const pole = complexAt(w.data, i * n + k);
          sum = complexAdd(sum, complexDiv(weight, complexSub(node, pole)));
          sum = complexAdd(sum, complexDiv(complexConj(weight), complexSub(node, complexConj(pole))));
        }
        complexSet(y.data, i * l + t, sum);
      }
    }
    return { y };
  },
  compose: ({ v, w, z }) => {
    const [h, n] = v.shape as [number, number];
    const wide = (x: typeof v): typeof v => reshape(x, [h, n, 1]);
    const [weight, pole, node] = [complexParts(v), complexParts(w), complexParts(z)];
    const re = sub(node.re, wide(pole.re)); // [h, n, l]
    /** weight / (node - pole), for a pole and a weight with the imaginary parts given. */
    const term = (poleIm: typeof v, weightIm: typeof v): readonly [typeof v, typeof v] => {
      const im = sub(node.im, wide(poleIm));
      const norm = add(square(re), square(im));
      const [a, b] = [wide(weight.re), wide(weightIm)];
      return [div(add(mul(a, re), mul(b, im)), norm), div(sub(mul(b, re), mul(a, im)), norm)];
    };
    const [first, second] = [term(pole.im, weight.im), term(neg(pole.im), neg(weight.im))];
    return { y: complexPair({ re: sum(add(first[0], second[0]), 1), im: sum(add(first[1], second[1]), 1) }) };
  },
  cost: ({ dims: { h, n, l } }) => ({ flops: 28 * h * n * l, bytes: 4 * (4 * h * n + 2 * l + 2 * h * l) }),
});
