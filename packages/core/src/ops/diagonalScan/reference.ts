import { ndclone, ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { DiagonalScanAttrs } from "./spec.ts";

/** The recurrence, token by token. */
export function diagonalScanReference(
  { ABar, Bu, initialState }: NdArrays,
  { reverse, returnLastState }: Required<DiagonalScanAttrs>,
): NdArrays {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const varying = ABar!.shape.length === 4;
  const states = ndzeros([b, l, n, 2]);
  const state = initialState ? ndclone(initialState) : ndzeros([b, n, 2]);
  for (let i = 0; i < b; i++) {
    for (let step = 0; step < l; step++) {
      const t = reverse ? l - 1 - step : step;
      for (let k = 0; k < n; k++) {
        const at = 2 * ((i * l + t) * n + k);
        const own = 2 * (i * n + k);
        const a = varying ? at : 2 * k;
        const [re, im] = [state.data[own]!, state.data[own + 1]!];
        state.data[own] = ABar!.data[a]! * re - ABar!.data[a + 1]! * im + Bu!.data[at]!;
        state.data[own + 1] = ABar!.data[a]! * im + ABar!.data[a + 1]! * re + Bu!.data[at + 1]!;
        states.data[at] = state.data[own]!;
        states.data[at + 1] = state.data[own + 1]!;
      }
    }
  }
  return returnLastState ? { states, lastState: state } : { states };
}
