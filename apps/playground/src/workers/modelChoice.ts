/** The models that a visitor made: one from a text alone, one that goes on from another. */
export const OWN_MODELS = ["trained", "tuned"] as const;
export type OwnModel = (typeof OWN_MODELS)[number];

/** Where a model comes from. */
export type ModelChoice =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "files"; readonly files: readonly File[] }
  | { readonly kind: "own"; readonly which: OwnModel };

/** A model as it is kept in this browser. */
export interface KeptModel {
  /** A folder that Hugging Face's libraries load. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What was trained of it, as PEFT keeps it, where that is not all. */
  readonly adapter?: Readonly<Record<string, Uint8Array>>;
  readonly facts: KeptFacts;
}

export interface KeptFacts {
  /** How its text begins, or the name of the file. */
  readonly title: string;
  readonly weights: number;
  readonly layers: number;
  readonly dModel: number;
  readonly vocabSize: number;
  readonly steps: number;
  readonly bytes: number;
  /** Numbers of the adapter, where one was trained. */
  readonly adapterWeights?: number;
}

export const ownKey = (which: OwnModel): string => `model-${which}`;

/** What is known of a model is kept beside it, so that a page need not read it all. */
export const factsKey = (which: OwnModel): string => `model-${which}-facts`;

/** Name of the browser's cache of checkpoints that were fetched, for all pages. */
export const CACHE = "statespace-checkpoints";
