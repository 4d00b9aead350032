import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** The convolution as its sum, O(l m); the transforms that backends use are only faster. */
export function fftConvReference({ u, k, D }: NdArrays): NdArrays {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  const y = ndzeros([b, l, d]);
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      for (let c = 0; c < d; c++) {
        let sum = D ? D.data[c]! * u!.data[(i * l + t) * d + c]! : 0;
        for (let j = 0; j <= Math.min(t, m - 1); j++) sum += k!.data[c * m + j]! * u!.data[(i * l + t - j) * d + c]!;
        y.data[(i * l + t) * d + c] = sum;
      }
    }
  }
  return { y };
}
