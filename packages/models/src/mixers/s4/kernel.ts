import type { Parameter, Tensor } from "@statespace/core";

/** The state space part of an S4 block: what S4 and S4D do differently. */
export interface S4Kernel {
  readonly parameters: readonly Parameter[];
  /** Sampling rate relative to the training data's. */
  rate: number;
  /** The first l taps of every filter: [c, h, l]. */
  filter(l: number): Tensor;
  /** C ABar^(t+1) state for t < l: [b, c, h, l]. @param state [b, h, n, 2] */
  stateFilter(state: Tensor, l: number): Tensor;
  /** The state after a sequence. @param u [b, l, h] @returns [b, h, n, 2] */
  lastState(u: Tensor, initialState?: Tensor): Tensor;
  /**
   * Outputs of a sequence whose steps are of lengths of their own: [b, l, c, h]. Absent where the filter alone is known.
   * @param u [b, l, h] @param gaps [b, l], factors on delta
   */
  uneven?(u: Tensor, gaps: Tensor, initialState?: Tensor): { readonly y: Tensor; readonly lastState: Tensor };
  /** One token. @param u [b, h] @returns the next state and y [b, c, h] */
  step(u: Tensor, state: Tensor): { next: Tensor; y: Tensor };
  dispose(): void;
}
