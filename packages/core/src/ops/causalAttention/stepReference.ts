import { ndclone, ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { CausalAttentionStepAttrs } from "./stepSpec.ts";

/** Softmax attention of one query a row over a cache, which is filled at the row's position first. */
export function causalAttentionStepReference(
  { q, k, v, keys, values, position, rotary, visible }: NdArrays,
  { scale, interleaved }: Required<CausalAttentionStepAttrs>,
): NdArrays {
  const [b, h, p] = q!.shape as [number, number, number];
  const [m, hkv] = keys!.shape.slice(1, 3) as [number, number];
  const r = rotary?.shape[1] ?? 0;
  const factor = scale === 0 ? 1 / Math.sqrt(p) : scale;
  const out = { y: ndzeros([b, h, p]), keys: ndclone(keys!), values: ndclone(values!), position: ndclone(position!) };
  const turned = (x: Float64Array, t: number): Float64Array => {
    const y = x.slice();
    for (let i = 0; i < r / 2; i++) {
      const [cos, sin] = [rotary!.data[t * r + i]!, rotary!.data[t * r + r / 2 + i]!];
      const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r / 2];
      y[first] = x[first]! * cos - x[second]! * sin;
      y[second] = x[second]! * cos + x[first]! * sin;
    }
    return y;
  };
  for (let row = 0; row < b; row++) {
    const t = position!.data[row]!;
    out.position.data[row] = t + 1;
    const one = (x: Float64Array, head: number, heads: number): Float64Array =>
      x.subarray((row * heads + head) * p, (row * heads + head + 1) * p);
    const cached = (x: Float64Array, j: number, head: number): Float64Array =>
      x.subarray(((row * m + j) * hkv + head) * p, ((row * m + j) * hkv + head + 1) * p);
    if (t < 0 || t >= m) {
      out.y.data.fill(Number.NaN, row * h * p, (row + 1) * h * p);
      continue;
    }
    for (let head = 0; head < hkv; head++) {
      cached(out.keys.data, t, head).set(turned(one(k!.data, head, hkv), t));
      cached(out.values.data, t, head).set(one(v!.data, head, hkv));
    }
    const seen = Array.from({ length: t + 1 }, (_, j) => j).filter(
      (j) => j === t || visible === undefined || visible.data[row * m + j] !== 0,
    );
    for (let head = 0; head < h; head++) {
      const own = Math.floor((head * hkv) / h);
      const query = turned(one(q!.data, head, h), t);
      const scores = seen.map(
        (j) => factor * cached(out.keys.data, j, own).reduce((sum, x, c) => sum + x * query[c]!, 0),
      );
      const peak = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - peak));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      seen.forEach((j, at) =>
        cached(out.values.data, j, own).forEach(
          (x, c) => (out.y.data[(row * h + head) * p + c]! += (weights[at]! / total) * x),
        ),
      );
    }
  }
  return out;
}
