import type { Pattern } from "../pattern.ts";
import { fuseRowProduct, residualOf, rowNormOf, rowProductOf } from "../rowProduct.ts";

/** A norm, a projection and the residual stream. */
export const normLinearAdd: Pattern = {
  ops: ["rmsNorm", "linear", "add"],
  fuse([first, second, third], lowering) {
    const product = rowProductOf(second!);
    const norm = product && rowNormOf(first!, product);
    const residual = product && residualOf(third!, product);
    return norm && residual && fuseRowProduct(lowering, product, { norm, residual });
  },
};
