export {
  countedTargets,
  countSteps,
  countTargets,
  IGNORED_TARGET,
  type StreamState,
  type TrainingBatch,
  type TrainingStream,
} from "./batch.ts";
export {
  checkpointName,
  pruneCheckpoints,
  restoreTraining,
  restoreWeights,
  saveTraining,
  type Restored,
  type Snapshot,
  type TrainingProgress,
} from "./checkpointing.ts";
export { folderStore, memoryStore, type CheckpointFiles, type CheckpointStore } from "./checkpointStore.ts";
export { evaluate, type Evaluation } from "./evaluate.ts";
export {
  toJsonLine,
  type CheckpointEvent,
  type CheckpointFailedEvent,
  type EndEvent,
  type EndReason,
  type EvaluationEvent,
  type ResumedEvent,
  type StepEvent,
  type TrainingEvent,
} from "./events.ts";
export { classAccuracy } from "./classAccuracy.ts";
export { train } from "./loop.ts";
export { modelObjective, type ModelObjectiveOptions, type ObjectiveModel } from "./modelObjective.ts";
export { type CarriedState, type LossContext, type LossResult, type Measures, type Trainable } from "./objective.ts";
export type { CheckpointOptions, EvaluationOptions, TrainOptions } from "./options.ts";
export { progressReporter, progressText, type ProgressOutput } from "./progress.ts";
export {
  constantSchedule,
  cosineSchedule,
  wsdSchedule,
  type DecayOptions,
  type Schedule,
  type WarmUpOptions,
} from "./schedule.ts";
export { trainStep, type StepOptions, type StepResult } from "./step.ts";
export { tensorBoardHeader, tensorBoardRecord } from "./tensorBoard.ts";
export { estimateMemory, type MemoryEstimate } from "./memoryEstimate.ts";
export { OPTIMIZERS, type OptimizerSettings } from "./optimizer.ts";
