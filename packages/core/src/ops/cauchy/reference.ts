import {
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexSet,
  complexSub,
  type Complex,
} from "../../math/complex.ts";
import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** The sum, term by term. */
export function cauchyReference({ v, w, z }: NdArrays): NdArrays {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const y = ndzeros([h, l, 2]);
  for (let i = 0; i < h; i++) {
    for (let t = 0; t < l; t++) {
      const node = complexAt(z!.data, t);
      let sum: Complex = { re: 0, im: 0 };
      for (let k = 0; k < n; k++) {
        const weight = complexAt(v!.data, i * n + k);
        const pole = complexAt(w!.data, i * n + k);
        sum = complexAdd(sum, complexDiv(weight, complexSub(node, pole)));
        sum = complexAdd(sum, complexDiv(complexConj(weight), complexSub(node, complexConj(pole))));
      }
      complexSet(y.data, i * l + t, sum);
    }
  }
  return { y };
}
