import { cast, concat, equal, keep, mul, ones, pad, reshape, tensor, tidy, zeros, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { sequenceNumber, sliceAxis } from "@statespace/core/ops";
import type { LayerState, Reservation } from "../../layers/mixer.ts";
import { capacityOf, POSITION, settled } from "../../layers/reservedState.ts";

/** Keys and values of every token so far. */
export interface Cache extends Readonly<Record<string, Tensor>> {
  readonly keys: Tensor; // [b, m, hkv, p], rotated
  readonly values: Tensor; // [b, m, hkv, p]
  /** 1, or 0 for tokens of sequences that are over. */
  readonly visible: Tensor; // [b, m]
}

/** The cache with new tokens behind it. */
export function appendToCache(before: LayerState | undefined, { k, v }: { k: Tensor; v: Tensor }): Cache {
  const visible = ones(k.shape.slice(0, 2), { backend: k.backend });
  // A copy, since a slice of the projection may be a view that would keep all of it.
  if (before?.keys === undefined) return { keys: mul(k, 1), values: mul(v, 1), visible };
  return {
    keys: concat([before.keys, k], 1),
    values: concat([before.values!, v], 1),
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

/** Makes the cache of a state one of fixed capacity: zeros behind its tokens, visible ones, and their number on the device. */
export function reserveCache(
  state: LayerState,
  { batch, capacity, tokens }: Reservation,
  nHeadsKv: number,
  headDim: number,
  backend: AnyBackend,
): void {
  if (state[POSITION] !== undefined && capacityOf(state) >= capacity) return;
  const made = tidy(() => {
    const { keys, values, visible } = settled(state, tokens);
    const room = (x: Tensor | undefined, rest: readonly number[], value: number): Tensor => {
      const empty = value === 0 ? zeros : ones;
      if (x === undefined) return empty([batch, capacity, ...rest], { backend });
      return pad(x, [[0, 0], [0, capacity - tokens], ...rest.map(() => [0, 0] as const)], value);
    };
    return {
      keys: room(keys, [nHeadsKv, headDim], 0),
      values: room(values, [nHeadsKv, headDim], 0),
      visible: room(visible, [], 1),
      [POSITION]: tensor(new Int32Array(batch).fill(tokens), [batch], { backend }),
    };
  });
  replaceCache(state, made);
}
