import { concat, mul, ones, zeros, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { copy, sliceAxis } from "@statespace/core/ops";
import type { LayerState } from "../../layers/mixer.ts";
import { stillVisible } from "./cache.ts";

/**
 * Keys and values of the last tokens, as many as a window has, oldest first. Keys are not turned by their positions: what a query makes of a
 * key depends on how far apart they are alone, so places in the window serve as positions, and the state needs no count of tokens.
 */
export interface WindowState extends Readonly<Record<string, Tensor>> {
  readonly lastKeys: Tensor; // [b, w, hkv, p]
  readonly lastValues: Tensor; // [b, w, hkv, p]
  /** 0 where there was no token, or one of a sequence that is over. */
  readonly lastVisible: Tensor; // [b, w]
}

/** What queries see: keys (not turned) and values of the tokens in front, where there are some, and of their own. */
export interface InWindow {
  readonly k: Tensor; // [b, m, hkv, p]
  readonly v: Tensor; // [b, m, hkv, p]
  readonly visible: Tensor | undefined; // [b, m]
}

/** The state before the first token. */
export function emptyWindow(b: number, w: number, nHeadsKv: number, headDim: number, backend: AnyBackend): WindowState {
  const heads = (): Tensor => zeros([b, w, nHeadsKv, headDim], { backend });
  return { lastKeys: heads(), lastValues: heads(), lastVisible: zeros([b, w], { backend }) };
}

/** New tokens behind those of a state. */
export function behindWindow(before: LayerState | undefined, { k, v }: { k: Tensor; v: Tensor }): InWindow {
  if (before === undefined) return { k, v, visible: undefined };
  const { lastKeys, lastValues, lastVisible } = before as WindowState;
  return {
    k: concat([lastKeys, k], 1),
    v: concat([lastValues, v], 1),
    visible: concat([lastVisible, ones(k.shape.slice(0, 2), { backend: k.backend })], 1),
  };
}

/** The state after these tokens, of which `seqIdx` may say where sequences begin. */
export function windowAfter({ k, v, visible }: InWindow, w: number, seqIdx: Tensor | undefined): WindowState {
  const [b, m, hkv, p] = k.shape as [number, number, number, number];
  const seen = stillVisible(visible ?? ones([b, m], { backend: k.backend }), seqIdx);
  const { lastKeys, lastValues, lastVisible } = emptyWindow(b, w, hkv, p, k.backend);
  // A copy, since a slice of the projection may be a view that would keep all of it.
  const last = (x: Tensor, empty: Tensor): Tensor =>
    mul(m >= w ? sliceAxis(x, 1, m - w, w) : concat([sliceAxis(empty, 1, 0, w - m), x], 1), 1);
  return { lastKeys: last(k, lastKeys), lastValues: last(v, lastValues), lastVisible: last(seen, lastVisible) };
}

/** Puts the state after one more token in the place of the one before. */
export function moveWindow(state: LayerState, now: InWindow, w: number): void {
  const next = windowAfter(now, w, undefined);
  for (const [name, source] of Object.entries(next)) copy({ destination: state[name]!, source });
}
