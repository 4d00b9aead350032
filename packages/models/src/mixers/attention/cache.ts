import { cast, concat, equal, keep, mul, ones, pad, reshape, tensor, tidy, zeros, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { fromHalves, sequenceNumber, sliceAxis, toHalves } from "@statespace/core/ops";
import type { CacheType } from "../../layers/cacheType.ts";
import type { LayerState, Reservation } from "../../layers/mixer.ts";
import { capacityOf, POSITION, settled } from "../../layers/reservedState.ts";

/** Keys and values of every token so far: floats, or int32 [.., p / 2] of two halves each. */
export interface Cache extends Readonly<Record<string, Tensor>> {
  readonly keys: Tensor; // [b, m, hkv, p], rotated
  readonly values: Tensor; // [b, m, hkv, p]
  /** 1, or 0 for tokens of sequences that are over. */
  readonly visible: Tensor; // [b, m]
}

/** Keys or values as a cache keeps them. Of floats a copy, since a slice of a projection may be a view that would keep all of it. */
export const kept = (x: Tensor, type: CacheType): Tensor => (type === "f16" ? toHalves(x) : mul(x, 1));

/** The floats of what a cache keeps. */
export const floatsOf = (x: Tensor): Tensor => (x.dtype === "int32" ? fromHalves(x) : x);

/** How the cache of a state is kept; `type` where there is none yet. */
export const typeOf = (keys: Tensor | undefined, type: CacheType): CacheType =>
  keys === undefined ? type : keys.dtype === "int32" ? "f16" : "f32";

/** The cache with new tokens behind it, as it is kept, or as `type` says where there was none. */
export function appendToCache(
  before: LayerState | undefined,
  { k, v }: { k: Tensor; v: Tensor },
  type: CacheType,
): Cache {
  const visible = ones(k.shape.slice(0, 2), { backend: k.backend });
  if (before?.keys === undefined) return { keys: kept(k, type), values: kept(v, type), visible };
  const behind = (old: Tensor, x: Tensor): Tensor => concat([old, old.dtype === "int32" ? toHalves(x) : x], 1);
  return {
    keys: behind(before.keys, k),
    values: behind(before.values!, v),
    visible: concat([before.visible!, visible], 1),
  };
}

/** What tokens after a packed row may see: of the last sequence all, of earlier ones nothing. */
export function stillVisible(visible: Tensor, seqIdx: Tensor | undefined): Tensor {
  if (seqIdx === undefined) return visible;
  const [b, l] = seqIdx.shape as [number, number];
  const m = visible.shape[1]!;
  const number = sequenceNumber(seqIdx); // [b, l], 0 in the first sequence
  const last = sliceAxis(number, 1, l - 1, 1); // [b, 1]
  const own = cast(equal(number, last), "float32");
  if (m === l) return mul(visible, own);
  const front = mul(cast(equal(last, 0), "float32"), reshape(sliceAxis(visible, 1, 0, m - l), [b, m - l]));
  return concat([front, mul(sliceAxis(visible, 1, m - l, l), own)], 1);
}

/** Puts a longer cache in the place of the one a state holds. */
export function replaceCache(state: LayerState, cache: Readonly<Record<string, Tensor>>): void {
  const holder = state as Record<string, Tensor>;
  for (const [name, value] of Object.entries(cache)) {
    holder[name]?.dispose();
    holder[name] = keep(value);
  }
}

/** What the cache of a layer looks like. */
export interface CacheShape {
  readonly nHeadsKv: number;
  readonly headDim: number;
  /** Of a cache that is not there yet. */
  readonly type: CacheType;
}

/** Zeros in the place of keys or values of so many tokens. */
export function emptyCache(b: number, m: number, { nHeadsKv, headDim, type }: CacheShape, backend: AnyBackend): Tensor {
  if (type === "f16") return zeros([b, m, nHeadsKv, headDim / 2], { dtype: "int32", backend });
  return zeros([b, m, nHeadsKv, headDim], { backend });
}

/** Makes the cache of a state one of fixed capacity: zeros behind its tokens, visible ones, and their number on the device. */
export function reserveCache(
  state: LayerState,
  { batch, capacity, tokens }: Reservation,
  shape: CacheShape,
  backend: AnyBackend,
): void {
  if (state[POSITION] !== undefined && capacityOf(state) >= capacity) return;
  const made = tidy(() => {
    const { keys, values, visible } = settled(state, tokens);
    const room = (x: Tensor, value: number): Tensor =>
      pad(x, [[0, 0], [0, capacity - tokens], ...x.shape.slice(2).map(() => [0, 0] as const)], value);
    return {
      keys: keys ? room(keys, 0) : emptyCache(batch, capacity, shape, backend),
      values: values ? room(values, 0) : emptyCache(batch, capacity, shape, backend),
      visible: visible ? room(visible, 1) : ones([batch, capacity], { backend }),
      [POSITION]: tensor(new Int32Array(batch).fill(tokens), [batch], { backend }),
    };
  });
  replaceCache(state, made);
}
