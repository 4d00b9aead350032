import { ndclone, ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { CausalConv1dAttrs } from "./spec.ts";

const activate = (x: number, silu: boolean): number => (silu ? x / (1 + Math.exp(-x)) : x);

/** Inputs before t = 0 come from the initial state (oldest first), else they are zero. */
export function causalConv1dReference(
  { x, weight, bias, initialState, seqIdx }: NdArrays,
  { silu, returnLastState }: Required<CausalConv1dAttrs>,
): NdArrays {
  const [b, l, d] = x!.shape as [number, number, number];
  const k = weight!.shape[1]!;
  const at = (i: number, t: number, c: number): number => {
    if (t >= 0) return x!.data[(i * l + t) * d + c]!;
    return initialState ? initialState.data[(i * (k - 1) + (k - 1 + t)) * d + c]! : 0;
  };
  // No boundary between s and t; what lies before t = 0 belongs to the row's first sequence.
  const together = (i: number, s: number, t: number): boolean => {
    for (let at = Math.max(s, 0) + 1; seqIdx && at <= t; at++)
      if (seqIdx.data[i * l + at] !== seqIdx.data[i * l + at - 1]) return false;
    return true;
  };
  const y = ndzeros([b, l, d]);
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      for (let c = 0; c < d; c++) {
        let dot = bias ? bias.data[c]! : 0;
        for (let j = 0; j < k; j++) {
          const s = t - (k - 1) + j;
          if (together(i, s, t)) dot += weight!.data[c * k + j]! * at(i, s, c);
        }
        y.data[(i * l + t) * d + c] = activate(dot, silu);
      }
    }
  }
  if (!returnLastState) return { y };
  const lastState = ndzeros([b, k - 1, d]);
  for (let i = 0; i < b; i++) {
    for (let j = 0; j < k - 1; j++) {
      const t = l - (k - 1) + j;
      for (let c = 0; c < d; c++) lastState.data[(i * (k - 1) + j) * d + c] = together(i, t, l - 1) ? at(i, t, c) : 0;
    }
  }
  return { y, lastState };
}

/** One step: the state shifts by one and takes in x. */
export function causalConv1dStepReference({ x, state, weight, bias }: NdArrays, { silu }: { silu: boolean }): NdArrays {
  const [b, d] = x!.shape as [number, number];
  const k = weight!.shape[1]!;
  const y = ndzeros([b, d]);
  const next = ndclone(state!);
  for (let i = 0; i < b; i++) {
    for (let c = 0; c < d; c++) {
      let dot = (bias ? bias.data[c]! : 0) + weight!.data[c * k + k - 1]! * x!.data[i * d + c]!;
      for (let j = 0; j < k - 1; j++) {
        dot += weight!.data[c * k + j]! * state!.data[(i * (k - 1) + j) * d + c]!;
        next.data[(i * (k - 1) + j) * d + c] =
          j + 1 < k - 1 ? state!.data[(i * (k - 1) + j + 1) * d + c]! : x!.data[i * d + c]!;
      }
      y.data[i * d + c] = activate(dot, silu);
    }
  }
  return { y, state: next };
}
