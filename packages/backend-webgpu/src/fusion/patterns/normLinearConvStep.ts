import type { Pattern } from "../pattern.ts";
import { fuseRowProduct, rowConvolutionOf, rowNormOf, rowProductOf } from "../rowProduct.ts";

/** The norm, inProj and the convolution's step. */
export const normLinearConvStep: Pattern = {
  ops: ["rmsNorm", "linear", "causalConv1dStep"],
  fuse([first, second, third], lowering) {
    const product = rowProductOf(second!);
    const norm = product && rowNormOf(first!, product);
    const conv = product && rowConvolutionOf(third!, product);
    return norm && conv && fuseRowProduct(lowering, product, { norm, conv });
  },
};
