import type { Evaluation } from "./evaluate.ts";

/** What `train` tells as it goes; each is plain JSON. Steps count from 1: the number of steps taken when it happened. */
export type TrainingEvent =
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | CheckpointFailedEvent
  | ResumedEvent
  | EndEvent;

/** A step of the optimiser was taken. */
export interface StepEvent {
  readonly kind: "step";
  readonly step: number;
  /** Mean over the targets of the step. */
  readonly loss: number;
  /** Norm of all gradients together, before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Steps of sequences seen so far. */
  readonly tokens: number;
  /** Time spent training, over all sittings. */
  readonly seconds: number;
  /** Over the last few steps. */
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

/** The held-out batches were evaluated. */
export interface EvaluationEvent extends Evaluation {
  readonly kind: "evaluation";
  readonly step: number;
  readonly seconds: number;
  /** The lowest loss so far. */
  readonly isBest: boolean;
}

/** A checkpoint was written under `name`. */
export interface CheckpointEvent {
  readonly kind: "checkpoint";
  readonly step: number;
  readonly name: string;
}

/** A checkpoint could not be written (a full disk); those before it are as they were, and training goes on. */
export interface CheckpointFailedEvent {
  readonly kind: "checkpointFailed";
  readonly step: number;
  readonly reason: string;
}

/** The run goes on from the checkpoint `name`. */
export interface ResumedEvent {
  readonly kind: "resumed";
  readonly step: number;
  readonly name: string;
  /** What differs from the run that wrote it, where that was allowed. */
  readonly changed?: readonly string[];
}

/** The run is over; `seconds` is the time spent training, over all sittings. */
export interface EndEvent {
  readonly kind: "end";
  readonly step: number;
  readonly reason: EndReason;
  readonly seconds: number;
}

/** Why a run ended: its steps were done, its time was up, or evaluations no longer improved. */
export type EndReason = "steps" | "time" | "earlyStop";

/** An event as one line of JSON, without the line break. */
export function toJsonLine(event: TrainingEvent): string {
  return JSON.stringify(event);
}
