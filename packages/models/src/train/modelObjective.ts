import {
  mean,
  meanCrossEntropy,
  mul,
  reshape,
  ShapeError,
  square,
  sub,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { HeadConfig } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { ModelState } from "../model/state.ts";
import { countedTargets, IGNORED_TARGET, type TrainingBatch } from "./batch.ts";
import { classAccuracy } from "./classAccuracy.ts";
import type { LossContext, Measures, Trainable } from "./objective.ts";

/** Options of `modelObjective`. */
export interface ModelObjectiveOptions {
  /** Start every batch from the state after the one before (truncated back-propagation), unless the batch says `reset`. */
  readonly carryState?: boolean;
  /** Blocks compute their intermediate values again for the gradient in place of keeping them: about a third more time, a fraction of the memory. */
  readonly recompute?: boolean;
}

interface Run {
  readonly output: Tensor;
  readonly targets: Tensor;
  readonly state?: ModelState;
}

/** What an objective asks of a model. */
export interface ObjectiveModel extends Pick<Model, "parameters" | "forward" | "backend"> {
  readonly resolved: { readonly head: Pick<HeadConfig, "kind"> };
}

/**
 * What `train` needs of a model. Heads over classes and tokens: mean cross entropy in nats over the targets that count
 * (int32 [b], or [b, l]). Regression and forecasting: mean squared error against float32 targets of the output's shape, over the
 * entries whose mask is not 0 (mask of the targets' leading axes).
 */
export function modelObjective(model: ObjectiveModel, options: ModelObjectiveOptions = {}): Trainable {
  refuseUnknown("modelObjective", options, ["carryState", "recompute"]);
  const classes = model.resolved.head.kind === "language" || model.resolved.head.kind === "classification";
  const lossOf = ({ output, targets }: Run, batch: TrainingBatch): Tensor =>
    classes ? meanCrossEntropy(output, targets, IGNORED_TARGET) : squaredError(output, targets, batch.mask);
  return {
    parameters: model.parameters,
    loss(batch, context) {
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
    rng: training ? rng : undefined,
    recompute,
  });
  return { targets, ...result };
}

function squaredError(output: Tensor, targets: Tensor, mask: Float32Array | undefined): Tensor {
  if (targets.size !== output.size)
    throw new ShapeError(`loss: targets must be [${output.shape.join(", ")}], got [${targets.shape.join(", ")}]`);
  return tidy(() => {
    const errors = square(sub(output, reshape(targets, output.shape)));
    if (mask === undefined) return mean(errors);
    const entries = output.size / mask.length;
    const counted = mask.reduce((total, value) => total + value, 0);
    const weights = tensor(
      Float32Array.from(
        { length: output.size },
        (_, i) => mask[Math.floor(i / entries)]! / Math.max(1, counted * entries),
      ),
      output.shape,
      { backend: output.backend },
    );
    return sum(mul(errors, weights));
  });
}
