import type { Pattern } from "../pattern.ts";
import { fuseRowProduct, residualOf, rowProductOf } from "../rowProduct.ts";

/** outProj and the residual stream. */
export const linearAdd: Pattern = {
  ops: ["linear", "add"],
  fuse([first, second], lowering) {
    const product = rowProductOf(first!);
    const residual = product && residualOf(second!, product);
    return residual && fuseRowProduct(lowering, product, { residual });
  },
};
