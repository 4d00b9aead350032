import type { KernelAttrs, KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** The arrays of an attention, and what each query sees. */
export interface AttentionArrays {
  readonly b: number;
  readonly l: number;
  readonly m: number;
  readonly h: number;
  readonly hkv: number;
  readonly p: number;
  readonly scale: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** First element of a key (and value) for a head. */
  keyOffset(i: number, j: number, head: number): number;
  /** First element of a query for a head. */
  queryOffset(i: number, t: number, head: number): number;
  /** Of the query that was weighed last, the keys it sees: what others hold, be it no number, is not asked. */
  readonly seen: Int32Array;
  /** The weight of each, their softmax. */
  readonly weights: Float64Array;
  /** By how much the score of each moves with its product: 1, but for a soft cap. */
  readonly slopes: Float64Array;
  /** Weighs the keys of one query; how many it sees. What the head's sink draws, 0 without one, stands behind their weights. */
  weigh(i: number, t: number, head: number): number;
}

export function attentionArrays(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): AttentionArrays {
  const [b, l, h, p] = inputs.q!.shape as [number, number, number, number];
  const [m, hkv] = inputs.k!.shape.slice(1, 3) as [number, number];
  const [q, k, v] = [backend.floats(inputs.q!), backend.floats(inputs.k!), backend.floats(inputs.v!)];
  const seqIdx = inputs.seqIdx && backend.ints(inputs.seqIdx);
  const visible = inputs.visible && backend.floats(inputs.visible);
  const sink = inputs.sink && backend.floats(inputs.sink);
  const scale = (attrs.scale as number) || 1 / Math.sqrt(p);
  const keyOffset = (i: number, j: number, head: number): number =>
    ((i * m + j) * hkv + Math.floor((head * hkv) / h)) * p;
  const queryOffset = (i: number, t: number, head: number): number => ((i * l + t) * h + head) * p;
  const window = (attrs.window as number) || m;
  /** The first key of the query's own sequence that is in its window. */
  const firstKey = (i: number, t: number): number => {
    const least = Math.max(0, m - l + t + 1 - window);
    if (seqIdx)
      for (let s = t; s > 0; s--) if (seqIdx[i * l + s] !== seqIdx[i * l + s - 1]) return Math.max(least, m - l + s);
    return least;
  };
  const softCap = attrs.softCap as number;
  const slopes = new Float64Array(m).fill(1);
  const weights = new Float64Array(m + 1);
  const seen = new Int32Array(m);
  const weigh = (i: number, t: number, head: number): number => {
    const own = m - l + t;
    const drawn = sink ? sink[head]! : Number.NEGATIVE_INFINITY;
    let [count, peak] = [0, drawn];
    for (let j = firstKey(i, t); j <= own; j++) {
      if (j < own && visible && visible[i * m + j] === 0) continue;
      let dot = 0;
      for (let c = 0, a = queryOffset(i, t, head), e = keyOffset(i, j, head); c < p; c++) dot += q[a + c]! * k[e + c]!;
      const score = softCap === 0 ? scale * dot : softCap * Math.tanh((scale * dot) / softCap);
      if (softCap !== 0) slopes[count] = 1 - (score / softCap) ** 2;
      weights[count] = score;
      seen[count++] = j;
      peak = Math.max(peak, score);
    }
    weights[count] = drawn;
    let total = 0;
    for (let s = 0; s <= count; s++) total += weights[s] = Math.exp(weights[s]! - peak);
    for (let s = 0; s <= count; s++) weights[s]! /= total;
    return count;
  };
  return { b, l, m, h, hkv, p, scale, q, k, v, keyOffset, queryOffset, seen, weights, slopes, weigh };
}
