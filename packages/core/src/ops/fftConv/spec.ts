import { nextPowerOfTwo } from "../../math/fft.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { fftConvReference } from "./reference.ts";

/** Arguments of `fftConv`. */
export interface FftConvInputs {
  u: Tensor; // [b, l, d]
  /** One filter a channel. */
  k: Tensor; // [d, m]
  D?: Tensor | undefined; // [d]
}

/**
 * Depthwise causal convolution with long filters, through the FFT: y_t = sum_{j <= t} k_j u_{t-j} + D u_t.
 *
 * Shapes: u, y [b, l, d]; k [d, m] for any m >= 1 (taps beyond l do not matter, missing ones are zero); D [d].
 * Errors: ShapeError, DTypeError.
 * Source: S4 (arXiv 2111.00396), section 2.4. Both sides are padded to l + min(m, l) - 1 or more, so that nothing wraps around.
 */
export const fftConv: Op<FftConvInputs, Record<string, never>, { y: Tensor }> = defineOp<
  FftConvInputs,
  Record<string, never>,
  { y: Tensor }
>({
  name: "fftConv",
  inputs: { u: "b l d", k: "d m", D: "d?" },
  attrs: {},
  outputs: ({ dims: { b, l, d } }) => ({ y: [b!, l!, d!] }),
  differentiable: ["u", "k", "D"],
  reference: fftConvReference,
  cost: ({ dims: { b, l, d, m } }) => {
    const size = nextPowerOfTwo(l! + Math.min(m!, l!));
    return { flops: d! * (2 * b! + 1) * 2.5 * size * Math.log2(size), bytes: 4 * (2 * b! * l! * d! + d! * m!) };
  },
});
