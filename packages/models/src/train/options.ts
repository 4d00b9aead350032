import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { StreamState, TrainingBatch } from "./batch.ts";
import type { CheckpointStore } from "./checkpointStore.ts";
import { resolveOptimizer, type OptimizerSettings, type ResolvedOptimizer } from "./optimizer.ts";
import { cosineSchedule, type Schedule } from "./schedule.ts";

/** Options of `train`: when it ends, the optimizer and its schedule, evaluation, checkpoints. */
export interface TrainOptions<B extends TrainingBatch = TrainingBatch> {
  /** Ends the run after this many steps. This or `maxMinutes` is needed; with both, whichever comes first. */
  readonly steps?: number;
  /**
   * Ends the run after this much time spent training, over all sittings; the schedule then follows the clock, so it ends as time does. Time
   * that a tab or a machine slept does not count.
   */
  readonly maxMinutes?: number;
  /** Default: learning rate 1e-3, beta2 0.95, weight decay 0.1 (the Mamba paper's, but for the rate). */
  readonly optimizer?: OptimizerSettings;
  /** Default: cosine with a warm-up over the first twentieth. */
  readonly schedule?: Schedule;
  /** Batches to a step. Default 1. */
  readonly accumulate?: number;
  /** Largest norm of all gradients together; `null` for no clipping. Default 1. */
  readonly clipNorm?: number | null;
  /**
   * Decay of a moving average of the weights (0.999, say), which evaluations measure and the model has in the end. Absent: there is none.
   */
  readonly ema?: number;
  readonly evaluation?: EvaluationOptions<B>;
  readonly checkpoints?: CheckpointOptions;
  /**
   * Go on from the newest checkpoint of the store, if there is one. A checkpoint of a run with other settings or data is refused, and
   * told what differs; `"changed"` goes on with the new ones all the same (other data are then read from their start).
   */
  readonly resume?: boolean | "changed";
  /** What else makes the run what it is (its recipe, say): compared on resuming with the rest. */
  readonly identity?: StreamState;
  /** Of the randomness that the loss is handed. Default 0. */
  readonly seed?: number;
  /** Stops at the next step: a checkpoint is written, then `AbortedError` is thrown. */
  readonly signal?: AbortSignal;
}

/** What `train` evaluates on, how often, and when it stops for lack of progress. */
export interface EvaluationOptions<B extends TrainingBatch = TrainingBatch> {
  /** The same held-out batches each time. */
  batches(): Iterable<B>;
  /** Steps between evaluations; one more comes at the end. */
  readonly every: number;
  /** Ends the run after this many evaluations in a row without a new lowest loss. Absent: never. */
  readonly patience?: number;
  /** How much lower counts as lower. Default 0. */
  readonly minDelta?: number;
  /** The model ends with the weights of the lowest loss in place of the last; a copy of them is kept in memory and in checkpoints. */
  readonly keepBest?: boolean;
}

/** Where and how often `train` writes checkpoints. */
export interface CheckpointOptions {
  readonly store: CheckpointStore;
  /** Steps between checkpoints; one more comes at the end and at an abort. Absent: only those. */
  readonly every?: number;
  /** Newest checkpoints that stay. Default 2. */
  readonly keep?: number;
  /** One more before the first step, so that whatever happens there is one to go on from. Default false. */
  readonly first?: boolean;
}

/** Options with every default in its place. */
export interface ResolvedOptions<B extends TrainingBatch> extends TrainOptions<B> {
  readonly optimizer: ResolvedOptimizer;
  readonly schedule: Schedule;
  readonly accumulate: number;
  readonly clipNorm: number | null;
}

const NAMES: Readonly<Record<keyof TrainOptions, true>> = {
  steps: true,
  maxMinutes: true,
  optimizer: true,
  schedule: true,
  accumulate: true,
  clipNorm: true,
  ema: true,
  evaluation: true,
  checkpoints: true,
  resume: true,
  identity: true,
  seed: true,
  signal: true,
};
const EVALUATION_NAMES: Readonly<Record<keyof EvaluationOptions, true>> = {
  batches: true,
  every: true,
  patience: true,
  minDelta: true,
  keepBest: true,
};
const CHECKPOINT_NAMES: Readonly<Record<keyof CheckpointOptions, true>> = {
  store: true,
  every: true,
  keep: true,
  first: true,
};
/** What transformers' and PyTorch's trainers call them. */
const OTHER_NAMES = {
  maxSteps: "steps",
  timesteps: "steps",
  numTrainEpochs: "steps",
  maxGradNorm: "clipNorm",
  gradientAccumulationSteps: "accumulate",
  lrScheduler: "schedule",
  resumeFromCheckpoint: "resume",
  emaDecay: "ema",
  averageDecay: "ema",
  abortSignal: "signal",
};

const MAX_ACCUMULATE = 65_536;

/** @throws ArgumentError for a setting out of its range. */
export function resolveOptions<B extends TrainingBatch>(options: TrainOptions<B>): ResolvedOptions<B> {
  refuseUnknown("train", options, Object.keys(NAMES), OTHER_NAMES);
  if (options.evaluation !== undefined)
    refuseUnknown("train: evaluation", options.evaluation, Object.keys(EVALUATION_NAMES));
  if (options.checkpoints !== undefined)
    refuseUnknown("train: checkpoints", options.checkpoints, Object.keys(CHECKPOINT_NAMES));
  const { steps, maxMinutes, evaluation, checkpoints, clipNorm = 1, accumulate = 1 } = options;
  if (steps === undefined && maxMinutes === undefined)
    throw new ArgumentError("train: steps or maxMinutes must be given");
  if (maxMinutes !== undefined && !(maxMinutes > 0))
    throw new ArgumentError(`train: maxMinutes must be > 0, got ${maxMinutes}`);
  if (clipNorm !== null && !(clipNorm > 0))
    throw new ArgumentError(`train: clipNorm must be > 0 or null, got ${clipNorm}`);
  if (options.ema !== undefined && !(options.ema >= 0 && options.ema < 1))
    throw new ArgumentError(`train: ema must be in [0, 1), got ${options.ema}`);
  const counts = {
    steps,
    accumulate,
    "evaluation.every": evaluation?.every,
    "evaluation.patience": evaluation?.patience,
    "checkpoints.every": checkpoints?.every,
    "checkpoints.keep": checkpoints?.keep,
  };
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      throw new ArgumentError(`train: ${name} must be an integer >= 1, got ${value}`);
  }
  // Their batches are held together until the step is done.
  if (accumulate > MAX_ACCUMULATE)
    throw new ArgumentError(`train: accumulate must be at most ${MAX_ACCUMULATE}, got ${accumulate}`);
  return {
    ...options,
    optimizer: resolveOptimizer(options.optimizer),
    schedule: options.schedule ?? cosineSchedule({ warmUp: 0.05 }),
    accumulate,
    clipNorm,
  };
}
