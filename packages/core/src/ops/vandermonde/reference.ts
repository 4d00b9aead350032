import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** The sum, term by term. */
export function vandermondeReference({ C, logABar }: NdArrays, { seqLen }: { seqLen: number }): NdArrays {
  const [h, n] = C!.shape as [number, number];
  const y = ndzeros([h, seqLen]);
  for (let i = 0; i < h; i++) {
    for (let t = 0; t < seqLen; t++) {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        const at = 2 * (i * n + k);
        const phase = t * logABar!.data[at + 1]!;
        sum += Math.exp(t * logABar!.data[at]!) * (C!.data[at]! * Math.cos(phase) - C!.data[at + 1]! * Math.sin(phase));
      }
      y.data[i * seqLen + t] = 2 * sum;
    }
  }
  return { y };
}
