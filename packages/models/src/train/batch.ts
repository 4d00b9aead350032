import { ShapeError } from "@statespace/core";

/**
 * The part of a batch that training looks at; what the stream of `@statespace/datasets` gives fits as it is.
 * Everything is row-major. Targets of `IGNORED_TARGET` have no answer and do not count.
 */
export interface TrainingBatch {
  readonly inputs: Int32Array | Float32Array;
  readonly shape: readonly number[]; // [b, l] for ids, [b, l, channels] for signals
  readonly targets: Int32Array | Float32Array;
  readonly targetShape: readonly number[];
  readonly mask?: Float32Array;
  readonly seqIdx?: Int32Array; // [b, l]
  readonly lengths?: Int32Array; // [b]
  /** Of irregular sequences: time since the token before, 1 the usual, for the first and in padding. */
  readonly gaps?: Float32Array; // [b, l]
  /** The rows do not continue those of the batch before. */
  readonly reset?: boolean;
}

/** What JSON can hold. */
export type StreamState =
  | null
  | boolean
  | number
  | string
  | readonly StreamState[]
  | { readonly [key: string]: StreamState };

/** An endless sequence of batches whose position can be saved: `restore(state())` goes on with the same batches, bit for bit. */
export interface TrainingStream<B extends TrainingBatch = TrainingBatch> {
  nextBatch(): B;
  state(): StreamState;
  restore(state: StreamState): void;
  /** What makes two streams the same, as JSON: a run is not resumed on another one. Absent: not checked. */
  identity?(): StreamState;
}

/** Id of a target that does not count, as in PyTorch's cross entropy. */
export const IGNORED_TARGET = -100;

/**
 * Integer targets with `IGNORED_TARGET` wherever the batch's mask is 0, so that either way of leaving one out is heard.
 * @throws ShapeError for a mask of another size.
 */
export function countedTargets({ targets, mask }: TrainingBatch): Int32Array {
  const ids = targets instanceof Int32Array ? targets : Int32Array.from(targets);
  if (mask === undefined) return ids;
  if (mask.length !== ids.length)
    throw new ShapeError(`loss: mask must have one number a target, ${ids.length}, got ${mask.length}`);
  return ids.map((id, i) => (mask[i] === 0 ? IGNORED_TARGET : id));
}

/** How many targets of a batch count in its loss: the weight of its mean among the means of other batches. */
export function countTargets(batch: TrainingBatch): number {
  const { targets, targetShape, mask } = batch;
  if (targets instanceof Int32Array) {
    let count = 0;
    for (const id of countedTargets(batch)) if (id !== IGNORED_TARGET) count++;
    return count;
  }
  if (mask !== undefined) return mask.reduce((total, value) => total + value, 0);
  return targetShape[0]!; // real-valued answers: the mean is over the rows
}

/** Steps of the sequences in a batch, which is what a rate in tokens counts. */
export function countSteps({ shape }: TrainingBatch): number {
  return shape[0]! * (shape[1] ?? 1);
}
