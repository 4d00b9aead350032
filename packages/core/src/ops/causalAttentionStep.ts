import { ArgumentError, ShapeError } from "../errors.ts";
import { fromHalf, toHalf } from "../backend/packing.ts";
import { ndclone, ndzeros, type NdArray } from "../math/ndarray.ts";
import { capped, checkSoftCap } from "./causalAttention.ts";
import type { Arguments, NdArrays, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { floatsOf, wordsOf } from "./halves.ts";

const inputs = {
  q: "b h p",
  k: "b hkv p",
  v: "b hkv p",
  /** Keys of earlier tokens, turned by their positions; this token's goes to its position. Floats, or int32 of two halves each, see `toHalves`. */
  keys: "float32|int32 b m hkv c",
  /** As keys, not turned. */
  values: "float32|int32 b m hkv c",
  /** Tokens in the cache; one more afterwards. */
  position: "int32 b",
  /** Cosines, then sines, of the r / 2 angles at each position; q and k are turned by them. Absent: no rotary positions. */
  rotary: "m r?",
  /** 0 hides a key of the cache. */
  visible: "b m?",
  /** As in `causalAttention`. */
  sink: "h?",
} as const;

const attrs = {
  /** Factor of the dot products; 0 for 1 / sqrt(p). */
  scale: 0,
  /** Pairs that are turned: entries (0, 1), (2, 3), ... rather than (0, r/2), (1, r/2 + 1), ... */
  interleaved: false,
  /** As in `causalAttention`. */
  softCap: 0,
};

/**
 * One step of `causalAttention` on a cache of fixed capacity: puts k and v at their position, attends over the tokens so far, and
 * moves the position on. Everything it needs to know of the past lies on the device, so it can be captured and replayed.
 *
 *     q, k = turned by rotary[t];   keys[t], values[t] = k, v;   y = sum_j a_j values[j] over j <= t;   t = t + 1
 *
 * A position outside the cache writes nothing, moves on, and yields NaN: make room first.
 *
 * Shapes: q, y [b, h, p]; k, v [b, hkv, p]; keys, values [b, m, hkv, p], or int32 [b, m, hkv, p / 2]: what is put there is then rounded to
 * the nearest halves, and attended to so rounded; position int32 [b]; rotary [m, r] with r even and at
 * most p (entries from r on are not turned); visible [b, m]: keys at a 0 are seen by nobody but their own token.
 * Errors: ShapeError, DTypeError; ArgumentError for a scale that is not finite; BackendError while gradients are recorded.
 * Source: as `causalAttention`; rotary positions Su et al. 2021 (arXiv 2104.09864).
 */
export const causalAttentionStep: Op<typeof inputs, typeof attrs> = defineOp({
  name: "causalAttentionStep",
  room: "causalAttention",
  inputs,
  attrs,
  outputs: { y: "b h p" },
  check: ({ dims: { h, hkv, p, m, c, r = 0 } }, { scale, softCap }, { keys }) => {
    const halves = keys!.dtype === "int32";
    if (c !== (halves ? p / 2 : p))
      throw new ShapeError(
        `causalAttentionStep: keys must have ${halves ? "p / 2 words" : "p floats"} of p = ${p} channels, got ${c}`,
      );
    if (h * p * m === 0)
      throw new ShapeError(
        `causalAttentionStep: heads, channels and room must not be none, got h = ${h}, p = ${p}, m = ${m}`,
      );
    if (hkv === 0 || h % hkv !== 0)
      throw new ShapeError(`causalAttentionStep: the heads of k, hkv = ${hkv}, must divide those of q, h = ${h}`);
    if (r % 2 !== 0 || r > p)
      throw new ShapeError(`causalAttentionStep: r of rotary must be even and at most p = ${p}, got ${r}`);
    checkSoftCap("causalAttentionStep", softCap);
    if (!Number.isFinite(scale)) throw new ArgumentError(`causalAttentionStep: scale must be finite, got ${scale}`);
  },
  differentiable: [],
  inPlace: ["keys", "values", "position"],
  reference: ({ keys, values, ...rest }, attrs) => {
    if (keys.shape[3] === rest.q.shape[2]) return attended({ keys, values, ...rest }, attrs);
    const out = attended({ ...rest, keys: floatsOf(keys), values: floatsOf(values) }, attrs, (x) =>
      fromHalf(toHalf(x)),
    );
    return { ...out, keys: wordsOf(out["keys"]!), values: wordsOf(out["values"]!) };
  },
  // Counted as if the cache were full.
  cost: ({ dims: { b, m, h, hkv, p, c } }) => ({
    flops: 4 * b * h * p * m,
    bytes: 8 * b * (p * h + c * m * hkv),
    exps: b * h * m,
  }),
});

/** Softmax attention of one query a row over a cache, which is filled at the row's position first, with what is `kept` of each number. */
function attended(
  { q, k, v, keys, values, position, rotary, visible, sink }: Arguments<typeof inputs, NdArray>,
  { scale, interleaved, softCap }: typeof attrs,
  kept: (x: number) => number = (x) => x,
): NdArrays {
  const [b, h, p] = q.shape as [number, number, number];
  const [m, hkv] = keys.shape.slice(1, 3) as [number, number];
  const r = rotary?.shape[1] ?? 0;
  const factor = scale === 0 ? 1 / Math.sqrt(p) : scale;
  const out = { y: ndzeros([b, h, p]), keys: ndclone(keys), values: ndclone(values), position: ndclone(position) };
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
    const t = position.data[row]!;
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
      cached(out.keys.data, t, head).set(turned(one(k.data, head, hkv), t).map(kept));
      cached(out.values.data, t, head).set(one(v.data, head, hkv).map(kept));
    }
    const seen = Array.from({ length: t + 1 }, (_, j) => j).filter(
      (j) => j === t || visible === undefined || visible.data[row * m + j] !== 0,
    );
    for (let head = 0; head < h; head++) {
      const own = Math.floor((head * hkv) / h);
      const query = turned(one(q.data, head, h), t);
      const scores = seen.map((j) =>
        capped(factor * cached(out.keys.data, j, own).reduce((sum, x, c) => sum + x * query[c]!, 0), softCap),
      );
      const drawn = sink === undefined ? Number.NEGATIVE_INFINITY : sink.data[head]!;
      const peak = Math.max(drawn, ...scores);
      const weights = scores.map((score) => Math.exp(score - peak));
      const total = weights.reduce((sum, weight) => sum + weight, Math.exp(drawn - peak));
      seen.forEach((j, at) =>
        cached(out.values.data, j, own).forEach(
          (x, c) => (out.y.data[(row * h + head) * p + c]! += (weights[at]! / total) * x),
        ),
      );
    }
  }
  return out;
}
