import { ArgumentError, ShapeError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { causalAttentionReference } from "./reference.ts";

/** Arguments of `causalAttention`: queries of l tokens, keys and values of those and of m - l tokens before them. */
export interface CausalAttentionInputs {
  q: Tensor; // [b, l, h, p]
  k: Tensor; // [b, m, hkv, p]
  v: Tensor; // [b, m, hkv, p]
  seqIdx?: Tensor | undefined; // int32 [b, l]
  visible?: Tensor | undefined; // [b, m], 0 hides a key
}

/** Settings of `causalAttention`. */
export interface CausalAttentionAttrs {
  /** Factor of the dot products; 0 for 1 / sqrt(p). */
  scale?: number;
}

/**
 * Causal softmax attention, with keys and values of earlier tokens in front of those of the queries.
 *
 *     y_t = sum_j a_tj v_j,   a_t = softmax over j of scale q_t . k_j,   j <= m - l + t
 *
 * Shapes: q, y [b, l, h, p]; k, v [b, m, hkv, p] with m >= l, the last l being the queries' own tokens; h/hkv heads share a key;
 * seqIdx int32 [b, l]: a query sees no key from before the last change along l (packed sequences); what stands in front of
 * the l tokens belongs to the row's first sequence; visible [b, m]: keys at a 0 are seen by nobody but their own token.
 * Errors: ShapeError, DTypeError; ArgumentError for a scale that is not finite.
 * Source: Vaswani et al. 2017 (arXiv 1706.03762), eq. 1; grouped keys as in Ainslie et al. 2023 (arXiv 2305.13245).
 */
export const causalAttention: Op<CausalAttentionInputs, CausalAttentionAttrs, { y: Tensor }> = defineOp<
  CausalAttentionInputs,
  CausalAttentionAttrs,
  { y: Tensor }
>({
  name: "causalAttention",
  inputs: { q: "b l h p", k: "b m hkv p", v: "b m hkv p", seqIdx: "int32 b l?", visible: "b m?" },
  attrs: { scale: 0 },
  outputs: ({ dims: { b, l, h, p } }) => ({ y: [b!, l!, h!, p!] }),
  check: ({ dims: { l, m, h, hkv } }, { scale }) => {
    if (m! < l!) throw new ShapeError(`causalAttention: k must have at least the l = ${l} tokens of q, got m = ${m}`);
    if (hkv === 0 || h! % hkv! !== 0)
      throw new ShapeError(`causalAttention: the heads of k, hkv = ${hkv}, must divide those of q, h = ${h}`);
    if (!Number.isFinite(scale)) throw new ArgumentError(`causalAttention: scale must be finite, got ${scale}`);
  },
  differentiable: ["q", "k", "v"],
  reference: causalAttentionReference,
  cost: ({ dims: { b, l, m, h, hkv, p } }) => {
    const seen = l! * (m! - l!) + (l! * (l! + 1)) / 2;
    return { flops: 4 * b! * h! * p! * seen, bytes: 8 * b! * p! * (l! * h! + m! * hkv!), exps: b! * h! * seen };
  },
});
