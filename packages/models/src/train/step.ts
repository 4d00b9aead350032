import { clipScale, scalar, stack, tidy, valueAndGrads, add, mul, type Rng, type Tensor } from "@statespace/core";
import type { Optimizer } from "@statespace/core/backend";
import { countTargets, type TrainingBatch } from "./batch.ts";
import { asLossResult, type CarriedState, type Trainable } from "./objective.ts";

/** Options of `trainStep`. */
export interface StepOptions {
  readonly learningRate: number;
  /** Largest norm of all gradients together; absent: no clipping. */
  readonly clipNorm?: number | undefined;
  readonly carried?: CarriedState | undefined;
  readonly rng: Rng;
}

/** What `trainStep` returns; the caller disposes both. */
export interface StepResult {
  /** Loss and gradient norm (before clipping), still on the device. */
  readonly measures: Tensor; // [2]
  /** State after the last batch, if the model carries one. */
  readonly state: CarriedState | undefined;
}

/** A norm that no gradient reaches, so that "no clipping" still measures the norm. */
const NO_CLIPPING = 1e30;

/**
 * One step of the optimiser on the mean loss over all targets of the batches. Several batches accumulate: the result is that of one
 * batch that holds them all, up to rounding. Enqueues only; nothing waits for the device.
 * @param options.carried is not disposed.
 */
export function trainStep<B extends TrainingBatch>(
  trainable: Trainable<B>,
  optimizer: Optimizer,
  batches: readonly B[],
  options: StepOptions,
): StepResult {
  const { learningRate, clipNorm, rng } = options;
  const accumulated = new Accumulated();
  let carried = options.carried;
  try {
    const counts = batches.map((batch) => Math.max(1, countTargets(batch)));
    const total = counts.reduce((a, b) => a + b, 0);
    const values = optimizer.parameters.map(({ value }) => value);
    batches.forEach((batch, i) => {
      let state: CarriedState | undefined;
      const share = batches.length === 1 ? undefined : scalar(counts[i]! / total, { backend: values[0]?.backend });
      const { value, grads } = valueAndGrads(
        () => {
          const result = asLossResult(trainable.loss(batch, { carried, rng }));
          state = result.state;
          return result.loss;
        },
        values,
        share,
      );
      if (carried !== options.carried) carried?.dispose();
      carried = state;
      accumulated.take(value, grads, share);
    });
    const { norm, scale } = clipScale(accumulated.grads, clipNorm ?? NO_CLIPPING);
    optimizer.step(accumulated.grads, learningRate, clipNorm === undefined ? undefined : scale);
    const measures = stack([accumulated.loss!, norm]);
    for (const t of [norm, scale]) t.dispose();
    return { measures, state: carried };
  } finally {
    accumulated.dispose();
  }
}

/** Losses and gradients summed over batches. */
class Accumulated {
  loss: Tensor | undefined;
  grads: (Tensor | null)[] = [];

  /** Takes over the tensors. `share` is already in the gradients. */
  take(value: Tensor, grads: readonly (Tensor | null)[], share: Tensor | undefined): void {
    const loss = share === undefined ? value : mul(value, share);
    if (share !== undefined) for (const t of [value, share]) t.dispose();
    this.loss = this.loss === undefined ? loss : replaced(this.loss, loss);
    this.grads = this.grads.length === 0 ? [...grads] : this.grads.map((sum, i) => sumOf(sum, grads[i]!));
  }

  dispose(): void {
    this.loss?.dispose();
    for (const grad of this.grads) grad?.dispose();
  }
}

function sumOf(a: Tensor | null, b: Tensor | null): Tensor | null {
  return a === null ? b : b === null ? a : replaced(a, b);
}

function replaced(a: Tensor, b: Tensor): Tensor {
  const sum = tidy(() => add(a, b));
  for (const t of [a, b]) t.dispose();
  return sum;
}
