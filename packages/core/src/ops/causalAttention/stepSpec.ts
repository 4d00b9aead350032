import { ArgumentError, ShapeError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { causalAttentionStepReference } from "./stepReference.ts";

/** Arguments of `causalAttentionStep`: one token a row, and a cache with room for m. */
export interface CausalAttentionStepInputs {
  q: Tensor; // [b, h, p]
  k: Tensor; // [b, hkv, p]
  v: Tensor; // [b, hkv, p]
  /** Keys of earlier tokens, turned by their positions; this token's goes to its position. */
  keys: Tensor; // [b, m, hkv, p]
  /** As keys, not turned. */
  values: Tensor; // [b, m, hkv, p]
  /** Tokens in the cache; one more afterwards. */
  position: Tensor; // int32 [b]
  /** Cosines, then sines, of the r / 2 angles at each position; q and k are turned by them. Absent: no rotary positions. */
  rotary?: Tensor | undefined; // [m, r]
  /** 0 hides a key of the cache. */
  visible?: Tensor | undefined; // [b, m]
}

/** Settings of `causalAttentionStep`. */
export interface CausalAttentionStepAttrs {
  /** Factor of the dot products; 0 for 1 / sqrt(p). */
  scale?: number;
  /** Pairs that are turned: entries (0, 1), (2, 3), ... rather than (0, r/2), (1, r/2 + 1), ... */
  interleaved?: boolean;
}

/**
 * One step of `causalAttention` on a cache of fixed capacity: puts k and v at their position, attends over the tokens so far, and
 * moves the position on. Everything it needs to know of the past lies on the device, so it can be captured and replayed.
 *
 *     q, k = turned by rotary[t];   keys[t], values[t] = k, v;   y = sum_j a_j values[j] over j <= t;   t = t + 1
 *
 * A position outside the cache writes nothing, moves on, and yields NaN: make room first.
 *
 * Shapes: q, y [b, h, p]; k, v [b, hkv, p]; keys, values [b, m, hkv, p]; position int32 [b]; rotary [m, r] with r even and at
 * most p (entries from r on are not turned); visible [b, m]: keys at a 0 are seen by nobody but their own token.
 * Errors: ShapeError, DTypeError; ArgumentError for a scale that is not finite; BackendError while gradients are recorded.
 * Source: as `causalAttention`; rotary positions Su et al. 2021 (arXiv 2104.09864).
 */
export const causalAttentionStep: Op<CausalAttentionStepInputs, CausalAttentionStepAttrs, { y: Tensor }> = defineOp<
  CausalAttentionStepInputs,
  CausalAttentionStepAttrs,
  { y: Tensor }
>({
  name: "causalAttentionStep",
  inputs: {
    q: "b h p",
    k: "b hkv p",
    v: "b hkv p",
    keys: "b m hkv p",
    values: "b m hkv p",
    position: "int32 b",
    rotary: "m r?",
    visible: "b m?",
  },
  attrs: { scale: 0, interleaved: false },
  outputs: ({ dims: { b, h, p } }) => ({ y: [b!, h!, p!] }),
  check: ({ dims: { h, hkv, p, r = 0 } }, { scale }) => {
    if (hkv === 0 || h! % hkv! !== 0)
      throw new ShapeError(`causalAttentionStep: the heads of k, hkv = ${hkv}, must divide those of q, h = ${h}`);
    if (r % 2 !== 0 || r > p!)
      throw new ShapeError(`causalAttentionStep: r of rotary must be even and at most p = ${p}, got ${r}`);
    if (!Number.isFinite(scale)) throw new ArgumentError(`causalAttentionStep: scale must be finite, got ${scale}`);
  },
  differentiable: [],
  inPlace: ["keys", "values", "position"],
  reference: causalAttentionStepReference,
  // Counted as if the cache were full.
  cost: ({ dims: { b, m, h, hkv, p } }) => ({
    flops: 4 * b! * h! * p! * m!,
    bytes: 8 * b! * p! * (h! + m! * hkv!),
    exps: b! * h! * m!,
  }),
});
