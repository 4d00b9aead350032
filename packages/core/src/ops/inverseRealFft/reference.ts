import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** The sum over frequencies, term by term. */
export function inverseRealFftReference({ x }: NdArrays, { seqLen }: { seqLen: number }): NdArrays {
  const [h, m] = x!.shape as [number, number];
  const y = ndzeros([h, seqLen]);
  for (let i = 0; i < h; i++) {
    for (let t = 0; t < seqLen; t++) {
      let sum = 0;
      for (let k = 0; k < m; k++) {
        const angle = (2 * Math.PI * ((k * t) % seqLen)) / seqLen;
        const pair = k === 0 || 2 * k === seqLen ? 1 : 2;
        sum += pair * (x!.data[2 * (i * m + k)]! * Math.cos(angle) - x!.data[2 * (i * m + k) + 1]! * Math.sin(angle));
      }
      y.data[i * seqLen + t] = sum / seqLen;
    }
  }
  return { y };
}
