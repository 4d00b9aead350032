import { FormatError, type Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { ArrayDataset, Batch, BatchStream, JsonValue, Numbers } from "../batch.ts";
import { fingerprint } from "../fingerprint.ts";
import { permutation, restoreRng, rngLane } from "../random.ts";
import { stateFields, stateInteger } from "../streamState.ts";

/** Rows of a batch, and the seed that fixes the order of examples. */
export interface ShuffleOptions {
  readonly batchSize: number;
  readonly seed: number;
}

/**
 * Walks a permutation of 0 .. length-1, then the next one, for ever. The permutation is not saved but drawn anew
 * from the generator state before it, so the saved state is small whatever the length.
 */
export class ShuffledOrder {
  readonly #length: number;
  #before: number[];
  #rng: Rng;
  #order: Int32Array;
  #at = 0;
  #epoch = 0;

  constructor(length: number, seed: number) {
    this.#length = length;
    this.#rng = rngLane(seed, 3); // lanes 0 to 2 belong to the splits of synthetic tasks
    this.#before = this.#rng.state();
    this.#order = permutation(this.#rng, length);
  }

  get epoch(): number {
    return this.#epoch;
  }

  next(): number {
    if (this.#at === this.#length) {
      this.#before = this.#rng.state();
      this.#order = permutation(this.#rng, this.#length);
      this.#at = 0;
      this.#epoch++;
    }
    return this.#order[this.#at++];
  }

  state(): JsonValue {
    return { kind: "order", length: this.#length, epoch: this.#epoch, at: this.#at, random: this.#before };
  }

  restore(state: JsonValue): void {
    const fields = stateFields(state, "order");
    if (fields["length"] !== this.#length)
      throw new FormatError(`restore: state is for ${String(fields["length"])} examples, not ${this.#length}`);
    const at = stateInteger(fields, "at", this.#length);
    const epoch = stateInteger(fields, "epoch");
    const rng = restoreRng(fields["random"]);
    this.#before = rng.state();
    this.#order = permutation(rng, this.#length);
    this.#rng = rng;
    this.#at = at;
    this.#epoch = epoch;
  }
}

/**
 * Endless shuffled batches: every example once an epoch; a batch may reach over the end of one.
 * Errors: `ArgumentError` for a batch size below 1 or an empty dataset.
 */
export function shuffledBatches<I extends Numbers, T extends Numbers>(
  dataset: ArrayDataset<I, T>,
  options: ShuffleOptions,
): BatchStream<Batch<I, T>> & { readonly epoch: number } {
  refuseUnknown("shuffledBatches", options, ["batchSize", "seed"]);
  const { batchSize, seed } = options;
  requireInteger("shuffledBatches", "batchSize", batchSize, 1);
  requireInteger("shuffledBatches", "dataset.length", dataset.length, 1);
  const order = new ShuffledOrder(dataset.length, seed);
  const nextBatch = (): Batch<I, T> =>
    takeExamples(
      dataset,
      Array.from({ length: batchSize }, () => order.next()),
    );
  return {
    nextBatch,
    state: () => order.state(),
    restore: (state) => order.restore(state),
    identity: () => ({ kind: "order", batchSize, seed, examples: fingerprint(dataset.inputs, dataset.targets) }),
    get epoch() {
      return order.epoch;
    },
    *[Symbol.iterator]() {
      for (;;) yield nextBatch();
    },
  };
}

/** Each example once, in order, for evaluation; the last batch may be smaller. Errors: `ArgumentError` for a batch size below 1. */
export function* orderedBatches<I extends Numbers, T extends Numbers>(
  dataset: ArrayDataset<I, T>,
  batchSize: number,
): Generator<Batch<I, T>, void, undefined> {
  requireInteger("orderedBatches", "batchSize", batchSize, 1);
  for (let from = 0; from < dataset.length; from += batchSize) {
    const count = Math.min(batchSize, dataset.length - from);
    yield takeExamples(
      dataset,
      Array.from({ length: count }, (_, i) => from + i),
    );
  }
}

/** The examples at `indices` as one batch. */
export function takeExamples<I extends Numbers, T extends Numbers>(
  dataset: ArrayDataset<I, T>,
  indices: readonly number[],
): Batch<I, T> {
  return {
    inputs: gather(dataset.inputs, size(dataset.inputShape), indices),
    shape: [indices.length, ...dataset.inputShape],
    targets: gather(dataset.targets, size(dataset.targetShape), indices),
    targetShape: [indices.length, ...dataset.targetShape],
  };
}

/** Rows of `width` numbers, copied in the order of `indices`. */
export function gather<N extends Numbers>(values: N, width: number, indices: ArrayLike<number>): N {
  const Kind = values.constructor as new (length: number) => N;
  const rows = new Kind(indices.length * width);
  for (let i = 0; i < indices.length; i++)
    rows.set(values.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
  return rows;
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
