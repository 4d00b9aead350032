import { nextPowerOfTwo } from "../math/fft.ts";
import { ndzeros } from "../math/ndarray.ts";
import { tensor, zeros } from "../tensor/create.ts";
import { add, mul } from "./binary.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { gather } from "./indexing.ts";
import { matMul } from "./matMul.ts";
import { reshape, transpose } from "./movement.ts";
import { pad } from "./slicing.ts";

const inputs = {
  u: "b l d",
  /** One filter a channel. */
  k: "d m",
  D: "d?",
} as const;

/**
 * Depthwise causal convolution with long filters, through the FFT: y_t = sum_{j <= t} k_j u_{t-j} + D u_t.
 *
 * Shapes: u, y [b, l, d]; k [d, m] for any m >= 1 (taps beyond l do not matter, missing ones are zero); D [d].
 * Errors: ShapeError, DTypeError.
 * Source: S4 (arXiv 2111.00396), section 2.4. Both sides are padded to l + min(m, l) - 1 or more, so that nothing wraps around.
 */
export const fftConv: Op<typeof inputs, NoAttrs> = defineOp({
  name: "fftConv",
  inputs,
  attrs: {},
  outputs: { y: "b l d" },
  differentiable: ["u", "k", "D"],
  // The convolution as its sum, O(l m); the transforms that backends use are only faster.
  reference: ({ u, k, D }) => {
    const [b, l, d] = u.shape as [number, number, number];
    const m = k.shape[1]!;
    const y = ndzeros([b, l, d]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        for (let c = 0; c < d; c++) {
          let sum = D ? D.data[c]! * u.data[(i * l + t) * d + c]! : 0;
          for (let j = 0; j <= Math.min(t, m - 1); j++) sum += k.data[c * m + j]! * u.data[(i * l + t - j) * d + c]!;
          y.data[(i * l + t) * d + c] = sum;
        }
      }
    }
    return { y };
  },
  // A product with the Toeplitz matrix of each filter, [l, l]: tap t - s in row t, column s; nothing above the diagonal.
  compose: ({ u, k, D }) => {
    const l = u.shape[1]!;
    const [d, m] = k.shape as [number, number];
    const none = m; // a tap of zero behind the filter
    const taps = Int32Array.from({ length: l * l }, (_, i) => {
      const tap = Math.floor(i / l) - (i % l);
      return tap < 0 || tap >= m ? none : tap;
    });
    const padded = pad(k, [
      [0, 0],
      [0, 1],
    ]);
    const toeplitz = reshape(gather(padded, tensor(taps, [l * l], { backend: k.backend }), 1), [d, l, l]);
    const y = transpose(matMul(toeplitz, transpose(u, [2, 1, 0])), [2, 1, 0]);
    return { y: D ? add(y, mul(u, D)) : y };
  },
  // No taps: only the skip is left.
  empty: ({ u, D }, _, { y }) => ({ y: D ? mul(u, D) : zeros(y!, { backend: u.backend }) }),
  cost: ({ dims: { b, l, d, m } }) => {
    const size = nextPowerOfTwo(l + Math.min(m, l));
    return { flops: d * (2 * b + 1) * 2.5 * size * Math.log2(size), bytes: 4 * (2 * b * l * d + d * m) };
  },
});
