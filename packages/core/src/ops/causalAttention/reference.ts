import { ndzeros, type NdArray } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { CausalAttentionAttrs } from "./spec.ts";

/** Softmax attention, query by query. */
export function causalAttentionReference(
  { q, k, v, seqIdx, visible }: NdArrays,
  { scale }: Required<CausalAttentionAttrs>,
): NdArrays {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
  const factor = scale === 0 ? 1 / Math.sqrt(p) : scale;
  const y = ndzeros([b, l, h, p]);
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      for (let head = 0; head < h; head++) {
        const own = Math.floor((head * hkv) / h);
        const row = (x: NdArray, token: number): Float64Array =>
          x.data.subarray(((i * m + token) * hkv + own) * p, ((i * m + token) * hkv + own + 1) * p);
        const query = q!.data.subarray(((i * l + t) * h + head) * p, ((i * l + t) * h + head + 1) * p);
        const seen = Array.from({ length: m }, (_, j) => j).filter((j) => canSee(i, t, j, l, m, seqIdx, visible));
        const scores = seen.map((j) => factor * row(k!, j).reduce((sum, x, c) => sum + x * query[c]!, 0));
        const peak = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - peak));
        const total = weights.reduce((a, x) => a + x, 0);
        seen.forEach((j, at) =>
          row(v!, j).forEach((x, c) => (y.data[((i * l + t) * h + head) * p + c]! += (weights[at]! / total) * x)),
        );
      }
    }
  }
  return { y };
}

/** Key j of m is seen by query t of the last l: not later, not hidden, and no other sequence begins in between. */
function canSee(
  i: number,
  t: number,
  j: number,
  l: number,
  m: number,
  seqIdx: NdArray | undefined,
  visible: NdArray | undefined,
): boolean {
  const at = m - l + t;
  if (j > at || (j < at && visible !== undefined && visible.data[i * m + j] === 0)) return false;
  if (seqIdx === undefined) return true;
  for (let s = Math.max(1, j - (m - l) + 1); s <= t; s++)
    if (seqIdx.data[i * l + s] !== seqIdx.data[i * l + s - 1]) return false;
  return true;
}
