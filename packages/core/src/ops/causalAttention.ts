import { ArgumentError, ShapeError } from "../errors.ts";
import { ndzeros, type NdArray } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { full } from "../tensor/create.ts";
import { apartFinite } from "./apartFinite.ts";
import { greater } from "./binary.ts";
import { attentionMap, seenKeys } from "./attentionMap.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { cast, where } from "./make.ts";
import { matMul } from "./matMul.ts";
import { broadcastTo, reshape, transpose } from "./movement.ts";

const inputs = {
  /** Queries of l tokens. */
  q: "b l h p",
  /** Keys and values of those tokens, and of m - l tokens before them. */
  k: "b m hkv p",
  v: "b m hkv p",
  seqIdx: "int32 b l?",
  /** 0 hides a key. */
  visible: "b m?",
  /** Score of each head's sink: what it draws of a query's attention goes nowhere. */
  sink: "h?",
} as const;

const attrs = {
  /** Factor of the dot products; 0 for 1 / sqrt(p). */
  scale: 0,
  /** Tokens that a query sees, its own included; 0 for all before it. */
  window: 0,
  /** Bounds every score s to +-softCap, as softCap tanh(s / softCap); 0 for none. */
  softCap: 0,
};

/**
 * Causal softmax attention, with keys and values of earlier tokens in front of those of the queries.
 *
 *     y_t = sum_j a_tj v_j,   a_t = softmax over j of scale q_t . k_j,   j <= m - l + t
 *
 * Shapes: q, y [b, l, h, p]; k, v [b, m, hkv, p] with m >= l, the last l being the queries' own tokens; h/hkv heads share a key;
 * seqIdx int32 [b, l]: a query sees no key from before the last change along l (packed sequences); what stands in front of
 * the l tokens belongs to the row's first sequence; visible [b, m]: keys at a 0 are seen by nobody but their own token. With a window
 * also m - l + t - window < j; with a softCap scores are bounded by it before the softmax. With sinks [h] the softmax of a head has one score
 * more, which is its sink's as it is, and no value: a_tj = exp(s_tj) / (exp(sink) + sum_j exp(s_tj)).
 * Errors: ShapeError, DTypeError; ArgumentError for a scale that is not finite or a window that is no count.
 * Source: Vaswani et al. 2017 (arXiv 1706.03762), eq. 1; grouped keys as in Ainslie et al. 2023 (arXiv 2305.13245); sinks as in gpt-oss (arXiv 2508.10925).
 */
export const causalAttention: Op<typeof inputs, typeof attrs> = defineOp({
  name: "causalAttention",
  inputs,
  attrs,
  outputs: { y: "b l h p" },
  check: ({ dims: { l, m, h, hkv } }, { scale, window, softCap }) => {
    if (m < l) throw new ShapeError(`causalAttention: k must have at least the l = ${l} tokens of q, got m = ${m}`);
    if (hkv === 0 || h % hkv !== 0)
      throw new ShapeError(`causalAttention: the heads of k, hkv = ${hkv}, must divide those of q, h = ${h}`);
    if (!Number.isFinite(scale)) throw new ArgumentError(`causalAttention: scale must be finite, got ${scale}`);
    checkSoftCap("causalAttention", softCap);
    if (!Number.isSafeInteger(window) || window < 0)
      throw new ArgumentError(`causalAttention: window must be a whole number from 0, got ${window}`);
  },
  differentiable: ["q", "k", "v", "sink"],
  // Query by query.
  reference: ({ q, k, v, seqIdx, visible, sink }, { scale, window, softCap }) => {
    const [b, l, h, p] = q.shape as [number, number, number, number];
    const [m, hkv] = k.shape.slice(1, 3) as [number, number];
    const factor = scale === 0 ? 1 / Math.sqrt(p) : scale;
    const y = ndzeros([b, l, h, p]);
    for (let i = 0; i < b; i++) {
      for (let t = 0; t < l; t++) {
        for (let head = 0; head < h; head++) {
          const own = Math.floor((head * hkv) / h);
          const row = (x: NdArray, token: number): Float64Array =>
            x.data.subarray(((i * m + token) * hkv + own) * p, ((i * m + token) * hkv + own + 1) * p);
          const query = q.data.subarray(((i * l + t) * h + head) * p, ((i * l + t) * h + head + 1) * p);
          const seen = Array.from({ length: m }, (_, j) => j).filter(
            (j) => canSee(i, t, j, l, m, seqIdx, visible) && (window === 0 || m - l + t - j < window),
          );
          const scores = seen.map((j) =>
            capped(factor * row(k, j).reduce((sum, x, c) => sum + x * query[c]!, 0), softCap),
          );
          const drawn = sink === undefined ? Number.NEGATIVE_INFINITY : sink.data[head]!;
          const peak = Math.max(drawn, ...scores);
          const weights = scores.map((score) => Math.exp(score - peak));
          const total = weights.reduce((a, x) => a + x, Math.exp(drawn - peak));
          seen.forEach((j, at) =>
            row(v, j).forEach((x, c) => (y.data[((i * l + t) * h + head) * p + c]! += (weights[at]! / total) * x)),
          );
        }
      }
    }
    return { y };
  },
  compose: ({ q, k, v, seqIdx, visible, sink }, { scale, window, softCap }) => {
    const [b, l, h, p] = q.shape as [number, number, number, number];
    const [m, hkv] = v.shape.slice(1, 3) as [number, number];
    const perKey = (x: Tensor): Tensor => reshape(x, [b * hkv, (h / hkv) * l, m]);
    const map = perKey(attentionMap({ q, k, seqIdx, visible, sink }, { scale, window, softCap }));
    const seen = perKey(broadcastTo(cast(seenKeys(q, m, window, seqIdx, visible), "float32"), [b, h, l, m]));
    // A hidden key has weight 0, and 0 times NaN would be NaN: what is no number enters where it is seen, and nowhere else.
    const { finite, lost } = apartFinite(reshape(transpose(v, [0, 2, 1, 3]), [b * hkv, m, p]));
    const unknown = full([1], Number.NaN, { backend: v.backend });
    const y = where(greater(matMul(seen, lost), 0), unknown, matMul(map, finite));
    return { y: transpose(reshape(y, [b, h, l, p]), [0, 2, 1, 3]) };
  },
  cost: ({ dims: { b, l, m, h, hkv, p } }, { window }) => {
    const all = l * (m - l) + (l * (l + 1)) / 2;
    const seen = window === 0 ? all : Math.min(all, l * window);
    return { flops: 4 * b * h * p * seen, bytes: 8 * b * p * (l * h + m * hkv), exps: b * h * seen };
  },
});

/** A score, bounded where there is a cap. */
export function capped(score: number, softCap: number): number {
  return softCap === 0 ? score : softCap * Math.tanh(score / softCap);
}

/** @throws ArgumentError for what bounds nothing */
export function checkSoftCap(op: string, softCap: number): void {
  if (!Number.isFinite(softCap) || softCap < 0)
    throw new ArgumentError(`${op}: softCap must be a number from 0, got ${softCap}`);
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
