import type { Pattern } from "../pattern.ts";
import { fuseRowProduct, rowNormOf, rowProductOf } from "../rowProduct.ts";

/** A norm and a projection: the last norm and the logits. */
export const normLinear: Pattern = {
  ops: ["rmsNorm", "linear"],
  fuse([first, second], lowering) {
    const product = rowProductOf(second!);
    const norm = product && rowNormOf(first!, product);
    return norm && fuseRowProduct(lowering, product, { norm });
  },
};
