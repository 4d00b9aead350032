import type { Pattern } from "../pattern.ts";
import { fuseRowProduct, rowConvolutionOf, rowProductOf } from "../rowProduct.ts";

/** A projection and the convolution's step. */
export const linearConvStep: Pattern = {
  ops: ["linear", "causalConv1dStep"],
  fuse([first, second], lowering) {
    const product = rowProductOf(first!);
    const conv = product && rowConvolutionOf(second!, product);
    return conv && fuseRowProduct(lowering, product, { conv });
  },
};
