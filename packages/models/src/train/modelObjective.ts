import { ArgumentError, meanCrossEntropy, tensor, tidy, type Tensor } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { HeadConfig } from "../model/ends.ts";
import { fromUnits, type Scale } from "../model/units.ts";
import type { Head } from "../model/head.ts";
import type { Model } from "../model/model.ts";
import { ModelState } from "../model/state.ts";
import { countedTargets, countTargets, IGNORED_TARGET, type TrainingBatch } from "./batch.ts";
import { chunkedCrossEntropy } from "./chunkedLoss.ts";
import { classAccuracy } from "./classAccuracy.ts";
import type { LossContext, LossResult, Measures, Trainable } from "./objective.ts";
import { valueLoss } from "./valueLoss.ts";

/** Options of `modelObjective`. */
export interface ModelObjectiveOptions {
  /** Start every batch from the state after the one before (truncated back-propagation), unless the batch says `reset`. */
  readonly carryState?: boolean;
  /** Blocks compute their intermediate values again for the gradient in place of keeping them: about a third more time, a fraction of the memory. */
  readonly recompute?: boolean;
  /**
   * Most logits of a language model that are in memory at once while training; where a batch has more, its loss is computed some tokens at a
   * time. Default 2^26, 256 MiB of them.
   */
  readonly logitsAtOnce?: number;
}

interface Run {
  readonly output: Tensor;
  readonly targets: Tensor;
  readonly scale?: Scale;
  readonly state?: ModelState;
}

/** What an objective asks of a model. */
export interface ObjectiveModel extends Pick<Model, "parameters" | "forward" | "backend"> {
  /** Where it is absent, all logits of a batch are in memory at once. */
  readonly head?: Head;
  readonly resolved: { readonly head: Pick<HeadConfig, "kind"> & { readonly quantiles?: readonly number[] } };
}

/**
 * What `train` needs of a model. Heads over classes and tokens: mean cross entropy in nats over the targets that count
 * (int32 [b], or [b, l]). Regression and forecasting: mean squared error against float32 targets of the output's shape, or the pinball loss of
 * its quantiles, over the entries whose mask is not 0 (mask of the targets' leading axes, or of all); of a model that normalizes, in the units
 * of its layers.
 */
export function modelObjective(model: ObjectiveModel, options: ModelObjectiveOptions = {}): Trainable {
  refuseUnknown("modelObjective", options, ["carryState", "recompute", "logitsAtOnce"]);
  if (model.resolved.head.kind === "denoising")
    throw new ArgumentError("modelObjective: a model that denoises is trained with denoiseObjective");
  const classes = model.resolved.head.kind === "language" || model.resolved.head.kind === "classification";
  const lossOf = ({ output, targets }: Run, batch: TrainingBatch): Tensor =>
    classes
      ? meanCrossEntropy(output, targets, IGNORED_TARGET)
      : valueLoss(output, targets, batch.mask, model.resolved.head.quantiles);
  return {
    parameters: model.parameters,
    loss(batch, context) {
      if (isLarge(model, batch, options)) return largeLoss(model, batch, context, options);
      const result = run(model, batch, context, options, true);
      return { loss: lossOf(result, batch), ...(result.state && { state: result.state }) };
    },
    measure(batch, context): Measures {
      let state: ModelState | undefined;
      const measures = tidy(() => {
        const result = run(model, batch, context, options, false);
        state = result.state;
        return {
          loss: lossOf(result, batch),
          ...(classes ? { accuracy: classAccuracy(result.output, result.targets) } : {}),
        };
      });
      return { ...measures, ...(state && { state }) };
    },
    restoreState: (bytes) => ModelState.fromBytes(bytes, { backend: model.backend }),
  };
}

function run(
  model: ObjectiveModel,
  batch: TrainingBatch,
  { carried, rng }: LossContext,
  { carryState = false, recompute = false }: ModelObjectiveOptions,
  training: boolean,
  beforeHead = false,
): Run {
  const { backend } = model;
  const inputs = tensor(batch.inputs, batch.shape, { backend });
  const values = batch.targets instanceof Int32Array ? countedTargets(batch) : batch.targets;
  const targets = tensor(values, batch.targetShape, { backend });
  const result = model.forward(inputs, {
    initialState: carryState && !batch.reset ? (carried as ModelState | undefined) : undefined,
    returnState: carryState,
    seqIdx: batch.seqIdx && tensor(batch.seqIdx, batch.shape.slice(0, 2), { dtype: "int32", backend }),
    lengths: batch.lengths,
    gaps: batch.gaps && tensor(batch.gaps, batch.shape.slice(0, 2), { backend }),
    rng: training ? rng : undefined,
    recompute,
    beforeHead,
    normalized: true,
  });
  return { targets: fromUnits(targets, result.scale), ...result };
}

const LOGITS_AT_ONCE = 2 ** 26;

/** Whether the logits of a batch are too many to be there at once. */
function isLarge(
  { resolved, head }: ObjectiveModel,
  { shape }: TrainingBatch,
  options: ModelObjectiveOptions,
): boolean {
  const { logitsAtOnce = LOGITS_AT_ONCE } = options;
  return (
    head !== undefined &&
    resolved.head.kind === "language" &&
    shape[0]! * shape[1]! * head.weight.shape[0]! > logitsAtOnce
  );
}

/** As the loss, without ever all logits. */
function largeLoss(
  model: ObjectiveModel,
  batch: TrainingBatch,
  context: LossContext,
  options: ModelObjectiveOptions,
): LossResult {
  const { output, targets, state } = run(model, batch, context, options, true, true);
  const atOnce = Math.max(1, Math.floor((options.logitsAtOnce ?? LOGITS_AT_ONCE) / 4));
  const counted = countTargets(batch);
  const loss = chunkedCrossEntropy(model.head!, output, targets, { ignored: IGNORED_TARGET, counted, atOnce });
  return { loss, ...(state && { state }) };
}
