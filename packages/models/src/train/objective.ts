import type { Parameter, Rng, Tensor } from "@statespace/core";
import type { TrainingBatch } from "./batch.ts";

/** A model's state on its way from one batch to the next. */
export interface CarriedState {
  toBytes(): Promise<Uint8Array>;
  dispose(): void;
}

/** What a loss is given beside its batch. */
export interface LossContext {
  /** State after the batch before, in truncated back-propagation; it stays the caller's. No gradient flows into it. */
  readonly carried: CarriedState | undefined;
  /** Randomness of training (dropout), saved and resumed with the rest. */
  readonly rng: Rng;
}

/** A loss, and the state to carry on where the model carries one; the caller disposes both. */
export interface LossResult {
  readonly loss: Tensor; // [], mean over the targets that count
  readonly state?: CarriedState;
}

/** Measures of a batch, as scalars on the device; each a mean over the targets that count. */
export interface Measures {
  readonly loss: Tensor;
  /** Share of right answers, where answers are classes. */
  readonly accuracy?: Tensor;
  readonly state?: CarriedState;
}

/** Anything `train` can train: parameters, and a loss of a batch. */
export interface Trainable<B extends TrainingBatch = TrainingBatch> {
  readonly parameters: readonly Parameter[];
  /** Mean loss of a batch, computed under the tape. A bare tensor is a loss that carries no state. */
  loss(batch: B, context: LossContext): Tensor | LossResult;
  /** What an evaluation reports; the loss alone where this is absent. Runs without a tape. */
  measure?(batch: B, context: LossContext): Measures;
  /** Inverse of the carried state's `toBytes`; needed where `loss` returns a state. */
  restoreState?(bytes: Uint8Array): CarriedState;
}

/** A loss in its long form. */
export function asLossResult(result: Tensor | LossResult): LossResult {
  return "dataId" in result ? { loss: result } : result;
}
