import { full, range, zeros } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apartFinite, spoiltWhere } from "./apartFinite.ts";
import { add, equal, greater, lessEqual, logicalAnd, maximum, mul } from "./binary.ts";
import { concat } from "./joining.ts";
import { cast, where } from "./make.ts";
import { matMul } from "./matMul.ts";
import { broadcastTo, reshape, transpose } from "./movement.ts";
import { pad, sliceAxis } from "./slicing.ts";
import { max, softmax } from "./reduce.ts";
import { tanh } from "./unary.ts";
import { sequenceNumber } from "./sequenceNumber.ts";

/** Below every score, and finite: shaders may assume that no infinity occurs. */
const HIDDEN = -3.4028234663852886e38;

/** What `attentionMap` takes: the arguments of `causalAttention` but for the values. */
export interface AttentionMapInputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly seqIdx?: Tensor | undefined;
  readonly visible?: Tensor | undefined;
  readonly sink?: Tensor | undefined;
}

/**
 * The weights a_tj that `causalAttention` averages with: what each token looks at. Made of base kernels, to look at, not for speed.
 *
 * Shapes: as `causalAttention`; the map [b, h, l, m]; every row of it sums to 1, or what its sink leaves.
 */
export function attentionMap(
  { q, k, seqIdx, visible, sink }: AttentionMapInputs,
  { scale = 0, window = 0, softCap = 0 }: { scale?: number; window?: number; softCap?: number } = {},
): Tensor {
  return tidy(() => {
    const [b, l, h, p] = q.shape as [number, number, number, number];
    const [m, hkv] = k.shape.slice(1, 3) as [number, number];
    const queries = reshape(transpose(q, [0, 2, 1, 3]), [b * hkv, (h / hkv) * l, p]);
    const keys = reshape(transpose(k, [0, 2, 1, 3]), [b * hkv, m, p]);
    const [some, all] = [apartFinite(queries), apartFinite(keys)];
    const products = reshape(matMul(some.finite, all.finite, false, true), [b, h, l, m]);
    const raw = mul(products, scale === 0 ? 1 / Math.sqrt(p) : scale);
    const scores = softCap === 0 ? raw : mul(tanh(mul(raw, 1 / softCap)), softCap);
    const seen = cast(seenKeys(q, m, window, seqIdx, visible), "float32"); // [b or 1, 1, l, m]
    const kept = where(greater(seen, 0), scores, full([b, h, l, m], HIDDEN, { backend: q.backend }));
    // A query that is no number spoils what it sees, a key what sees it; nothing spoils what is hidden, or its gradient.
    const rows = reshape(max(some.lost, -1), [b, hkv, h / hkv, l, 1]);
    const columns = reshape(max(all.lost, -1), [b, hkv, 1, 1, m]);
    const shown = spoiltWhere(mul(reshape(maximum(rows, columns), [b, h, l, m]), seen), kept);
    const drawn = sink && broadcastTo(reshape(sink, [1, h, 1, 1]), [b, h, l, 1]);
    const shares = drawn ? sliceAxis(softmax(concat([shown, drawn], -1)), -1, 0, m) : softmax(shown);
    // What is hidden has no share at all, also of a query whose scores are lost, or where a device's exp ends above 0.
    return where(greater(seen, 0), shares, zeros([1], { backend: q.backend }));
  });
}

/** Which keys each query sees, bool [b, 1, l, m], or [1, 1, l, m] where all rows see the same. */
export function seenKeys(
  { shape, backend }: Tensor,
  m: number,
  window: number,
  seqIdx: Tensor | undefined,
  visible: Tensor | undefined,
): Tensor {
  const [b, l] = shape as [number, number];
  const position = reshape(range(m - l, l, 1, { backend }), [1, 1, l, 1]);
  const key = reshape(range(0, m, 1, { backend }), [1, 1, 1, m]);
  let seen = lessEqual(key, position);
  if (window > 0) seen = logicalAnd(seen, greater(add(key, window), position));
  if (visible !== undefined)
    seen = logicalAnd(seen, greater(add(reshape(visible, [b, 1, 1, m]), cast(equal(key, position), "float32")), 0));
  if (seqIdx === undefined) return seen;
  const sequence = pad(sequenceNumber(seqIdx), [
    [0, 0],
    [m - l, 0],
  ]); // what stands in front belongs to the first
  return logicalAnd(
    seen,
    equal(reshape(sliceAxis(sequence, 1, m - l, l), [b, 1, l, 1]), reshape(sequence, [b, 1, 1, m])),
  );
}
