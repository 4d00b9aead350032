import {
  argMax,
  cast,
  div,
  equal,
  logicalAnd,
  maximum,
  meanCrossEntropy,
  notEqual,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";
import { ModelState, type LanguageModel } from "../language/index.ts";
import { countedTargets, IGNORED_TARGET, type TrainingBatch } from "./batch.ts";
import type { LossContext, Measures, Trainable } from "./objective.ts";

/** Options of `languageObjective`. */
export interface LanguageObjectiveOptions {
  /** Start every batch from the state after the one before (truncated back-propagation), unless the batch says `reset`. */
  readonly carryState?: boolean;
}

/**
 * Next-token prediction with a language model, for `train`: mean cross entropy in nats over the targets that count.
 * Inputs and targets are int32 [b, l]; rows may be packed (`seqIdx`).
 */
export function languageObjective(model: LanguageModel, options: LanguageObjectiveOptions = {}): Trainable {
  const { carryState = false } = options;
  const run = (
    batch: TrainingBatch,
    { carried }: LossContext,
  ): { logits: Tensor; targets: Tensor; state?: ModelState } => {
    const options = { dtype: "int32", backend: model.backend } as const;
    const ids = tensor(batch.inputs, batch.shape, options);
    const targets = tensor(countedTargets(batch), batch.targetShape, options);
    const seqIdx = batch.seqIdx && tensor(batch.seqIdx, batch.shape, options);
    const initialState = carryState && !batch.reset ? (carried as ModelState | undefined) : undefined;
    return { targets, ...model.forward(ids, { initialState, returnState: carryState, seqIdx }) };
  };
  return {
    parameters: model.parameters,
    loss(batch, context) {
      const { logits, targets, state } = run(batch, context);
      return { loss: meanCrossEntropy(logits, targets, IGNORED_TARGET), ...(state && { state }) };
    },
    measure(batch, context): Measures {
      let state: ModelState | undefined;
      const { loss, accuracy } = tidy(() => {
        const result = run(batch, context);
        state = result.state;
        return {
          loss: meanCrossEntropy(result.logits, result.targets, IGNORED_TARGET),
          accuracy: classAccuracy(result.logits, result.targets),
        };
      });
      return { loss, accuracy, ...(state && { state }) };
    },
    restoreState: (bytes) => ModelState.fromBytes(bytes, { backend: model.backend }),
  };
}

/** Share of positions whose largest logit is the target; ignored targets do not count. logits [..., v], targets int32 [...] -> []. */
export function classAccuracy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const counted = notEqual(targets, IGNORED_TARGET);
    const right = logicalAnd(counted, equal(argMax(logits), targets));
    return div(sum(cast(right, "float32")), maximum(sum(cast(counted, "float32")), 1));
  });
}
