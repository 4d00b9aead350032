import type { Glances } from "./glance.ts";
import type { ModelChoice, OwnModel } from "../../../workers/modelChoice.ts";

/** How a model learns from a text. */
export interface Settings {
  /** Of a new model: numbers in its stream, and blocks. */
  readonly width: number;
  readonly layers: number;
  /** Rank of an adapter. */
  readonly rank: number;
  /** Tokens in a row. */
  readonly length: number;
  readonly steps: number;
  readonly seed: number;
}

/** A run: what learns, and from what. */
export interface Job {
  readonly which: OwnModel;
  readonly text: string;
  /** What the text is called. */
  readonly title: string;
  readonly settings: Settings;
  /** The model that goes on learning, for an adapter. */
  readonly base?: ModelChoice | undefined;
}

export interface Point {
  readonly step: number;
  /** Bits a token. */
  readonly bits: number;
}

/** What a model wrote after so many steps. */
export interface Sample {
  readonly step: number;
  readonly text: string;
}

/** What is known of a run. */
export interface History {
  readonly points: readonly Point[];
  /** On text that is kept apart. */
  readonly apart: readonly Point[];
  readonly samples: readonly Sample[];
  /** How long the layers look at the tokens of a sentence; runs of earlier versions have none. */
  readonly glances?: Glances;
  /** Bits a token of one who guesses. */
  readonly guessing: number;
  /** Bits a token of one who knows how frequent each token is, and nothing else. */
  readonly frequency: number;
}

/** A run as it is kept over a reload, beside its job. */
export interface KeptProgress {
  readonly step: number;
  readonly done: boolean;
  readonly history: History;
}

export const JOB = "model-job";
export const PROGRESS = "model-progress";
export const CHECKPOINT = "model-checkpoint";
