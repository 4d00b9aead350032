import { concat, mul, ones, zeros, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { copy, sliceAxis } from "@statespace/core/ops";
import type { CacheType } from "../../layers/cacheType.ts";
import type { LayerState } from "../../layers/mixer.ts";
import { emptyCache, kept, stillVisible, typeOf, type CacheShape } from "./cache.ts";

/**
 * Keys and values of the last tokens, as many as a window has, oldest first. Keys are not turned by their positions: what a query makes of a
 * key depends on how far apart they are alone, so places in the window serve as positions, and the state needs no count of tokens. Floats, or int32
 * [.., p / 2] of two halves each.
 */
export interface WindowState extends Readonly<Record<string, Tensor>> {
  readonly lastKeys: Tensor; // [b, w, hkv, p]
  readonly lastValues: Tensor; // [b, w, hkv, p]
  /** 0 where there was no token, or one of a sequence that is over. */
  readonly lastVisible: Tensor; // [b, w]
}

/** What queries see: keys (not turned) and values of the tokens in front, where there are some, and of their own, as they are kept. */
export interface InWindow {
  readonly k: Tensor; // [b, m, hkv, p]
  readonly v: Tensor; // [b, m, hkv, p]
  readonly visible: Tensor | undefined; // [b, m]
}

/** The state before the first token. */
export function emptyWindow(b: number, w: number, shape: CacheShape, backend: AnyBackend): WindowState {
  const heads = (): Tensor => emptyCache(b, w, shape, backend);
  return { lastKeys: heads(), lastValues: heads(), lastVisible: zeros([b, w], { backend }) };
}

/** New tokens behind those of a state, kept as they are, or as `type` says where there is none. */
export function behindWindow(
  before: LayerState | undefined,
  { k, v }: { k: Tensor; v: Tensor },
  type: CacheType,
): InWindow {
  const own = (x: Tensor): Tensor => (typeOf(before?.lastKeys, type) === "f16" ? kept(x, "f16") : x);
  if (before === undefined) return { k: own(k), v: own(v), visible: undefined };
  const { lastKeys, lastValues, lastVisible } = before as WindowState;
  return {
    k: concat([lastKeys, own(k)], 1),
    v: concat([lastValues, own(v)], 1),
    visible: concat([lastVisible, ones(k.shape.slice(0, 2), { backend: k.backend })], 1),
  };
}

/** The state after these tokens, of which `seqIdx` may say where sequences begin. */
export function windowAfter({ k, v, visible }: InWindow, w: number, seqIdx: Tensor | undefined): WindowState {
  const [b, m] = k.shape as [number, number];
  const seen = stillVisible(visible ?? ones([b, m], { backend: k.backend }), seqIdx);
  // A copy, since a slice may be a view that would keep all of it.
  const last = (x: Tensor): Tensor => {
    if (m >= w) return mul(sliceAxis(x, 1, m - w, w), 1);
    const empty = zeros(x.shape.with(1, w - m), { dtype: x.dtype, backend: x.backend });
    return concat([empty, x], 1);
  };
  return { lastKeys: last(k), lastValues: last(v), lastVisible: last(seen) };
}

/** Puts the state after one more token in the place of the one before. */
export function moveWindow(state: LayerState, now: InWindow, w: number): void {
  const next = windowAfter(now, w, undefined);
  for (const [name, source] of Object.entries(next)) copy({ destination: state[name]!, source });
}
