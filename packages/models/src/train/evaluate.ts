import { ArgumentError, readFloats, Rng, tidy, type Tensor } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "@statespace/files";
import { countTargets, type TrainingBatch } from "./batch.ts";
import { asLossResult, type CarriedState, type LossContext, type Measures, type Trainable } from "./objective.ts";
import { Breather } from "./breather.ts";

/** Result of `evaluate`. */
export interface Evaluation {
  /** Mean over all targets that count; in nats for cross entropy. */
  readonly loss: number;
  readonly accuracy?: number;
  /** Targets that counted. */
  readonly targets: number;
}

/**
 * Mean loss, and accuracy where the model measures it, over batches; a state is carried from batch to batch until one says `reset`.
 * @throws ArgumentError when no target counts; AbortedError.
 */
export async function evaluate<B extends TrainingBatch>(
  trainable: Trainable<B>,
  batches: Iterable<B>,
  options: { signal?: AbortSignal } = {},
): Promise<Evaluation> {
  refuseUnknown("evaluate", options, ["signal"]);
  const rng = new Rng(0);
  const breather = new Breather();
  const sums = { loss: 0, accuracy: 0, targets: 0 };
  let hasAccuracy = false;
  let carried: CarriedState | undefined;
  try {
    for (const batch of batches) {
      throwIfAborted(options.signal, "evaluate");
      const { state, ...scalars } = measure(trainable, batch, { carried: batch.reset ? undefined : carried, rng });
      carried?.dispose();
      carried = state;
      const weight = countTargets(batch);
      hasAccuracy ||= scalars.accuracy !== undefined;
      sums.loss += weight * (await take(scalars.loss));
      if (scalars.accuracy !== undefined) sums.accuracy += weight * (await take(scalars.accuracy));
      sums.targets += weight;
      await breather.pause();
    }
  } finally {
    carried?.dispose();
  }
  if (sums.targets === 0) throw new ArgumentError("evaluate: no batch has a target that counts");
  return {
    loss: sums.loss / sums.targets,
    targets: sums.targets,
    ...(hasAccuracy ? { accuracy: sums.accuracy / sums.targets } : {}),
  };
}

function measure<B extends TrainingBatch>(trainable: Trainable<B>, batch: B, context: LossContext): Measures {
  if (trainable.measure !== undefined) return trainable.measure(batch, context);
  let state: CarriedState | undefined;
  const loss = tidy(() => {
    const result = asLossResult(trainable.loss(batch, context));
    state = result.state;
    return result.loss;
  });
  return { loss, ...(state && { state }) };
}

async function take(t: Tensor): Promise<number> {
  const [value] = await readFloats(t);
  t.dispose();
  return value!;
}
