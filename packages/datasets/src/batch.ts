/** Flat numbers of one array: token ids are `Int32Array`, signals are `Float32Array`. */
export type Numbers = Int32Array | Float32Array;

/** Target id at positions that have no answer; the same value PyTorch's cross-entropy ignores. */
export const IGNORE_INDEX = -100;

/**
 * One batch as plain typed arrays, row-major; whoever computes wraps them in tensors.
 *
 * `mask` has one number a target position: 1 where the target counts in a loss, 0 where it does not.
 * Integer targets hold `IGNORE_INDEX` wherever `mask` is 0, so either of the two suffices.
 */
export interface Batch<I extends Numbers = Numbers, T extends Numbers = Numbers> {
  readonly inputs: I;
  /** Shape of `inputs`: `[b, l]` for ids, `[b, l, channels]` for signals. */
  readonly shape: readonly number[];
  readonly targets: T;
  /** Shape of `targets`: `[b, l]` or `[b, l, channels]` for an answer a step, `[b]` or `[b, channels]` for one a sequence. */
  readonly targetShape: readonly number[];
  readonly mask?: Float32Array; // [b, l]
  /** Document number within the row, for packed documents: state restarts where it changes. */
  readonly seqIdx?: Int32Array; // [b, l]
  /** True number of steps in each row, where rows are padded at the end. */
  readonly lengths?: Int32Array; // [b]
  /** True where the rows do not continue the rows of the batch before: carried state starts anew. */
  readonly reset?: boolean;
}

/** Ids in, ids out: inputs and targets int32 [b, l]. */
export type TokenBatch = Batch<Int32Array, Int32Array>;
/** Signals in and out: inputs float32 [b, l, channels], targets float32 a step or a sequence. */
export type SignalBatch = Batch<Float32Array, Float32Array>;
/** Signals in, a class out: inputs float32 [b, l, channels], targets int32 [b]. */
export type ClassificationBatch = Batch<Float32Array, Int32Array>;

/** What JSON can hold: states of streams are of this kind, so a checkpoint stores them as they are. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The parts data are divided into; no example is in two of them. */
export type Split = "train" | "validation" | "test";

/** Where a dataset comes from and what one may do with it. */
export interface DatasetInfo {
  readonly name: string;
  readonly description: string;
  /** SPDX identifier, or "public domain". */
  readonly licence: string;
  readonly source: string;
  /** How train, validation and test are told apart. */
  readonly split: string;
  /** The files it consists of, by name: those that travel with the package or that `fetch-data` makes. */
  readonly files?: Readonly<Record<string, DatasetFile>>;
}

/** What a file must be. */
export interface DatasetFile {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * An endless, resumable sequence of batches.
 * `restore(state())`, also through JSON and in another process, continues with bit-identical batches.
 */
export interface BatchStream<B extends Batch = Batch> extends Iterable<B> {
  nextBatch(): B;
  /** Plain JSON: position and generator state before the next batch. */
  state(): JsonValue;
  /** Errors: `FormatError` where the value is not a state of such a stream. */
  restore(state: JsonValue): void;
  /** Plain JSON: settings and a fingerprint of the data, equal for streams that give the same batches from the same state. */
  identity(): JsonValue;
}

/** Finite examples of one shape, held in memory. */
export interface ArrayDataset<I extends Numbers = Numbers, T extends Numbers = Numbers> {
  readonly info: DatasetInfo;
  readonly length: number;
  readonly inputs: I; // [length, ...inputShape]
  readonly inputShape: readonly number[];
  readonly targets: T; // [length, ...targetShape]
  readonly targetShape: readonly number[];
}
