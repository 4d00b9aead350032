import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { BatchStream, JsonValue, TokenBatch } from "../batch.ts";
import { fingerprint } from "../fingerprint.ts";
import { rngLane, restoreRng } from "../random.ts";
import { stateFields, stateInteger } from "../streamState.ts";

/** Shape of token batches: [batchSize, seqLen]. */
export interface SequenceOptions {
  readonly batchSize: number;
  /** Steps in a row of a batch. */
  readonly seqLen: number;
}

/**
 * Next-token batches for truncated back-propagation: the ids are cut into `batchSize` long stretches, and every batch
 * continues the rows of the one before, so a model carries its state along. `reset` is true where the stretches start.
 *
 * Shapes: inputs, targets [b, seqLen]; targets are the inputs one step on.
 * Errors: `ArgumentError` where the ids are too few for one batch.
 */
export function contiguousBatches(ids: Int32Array, options: SequenceOptions): BatchStream<TokenBatch> {
  refuseUnknown("contiguousBatches", options, ["batchSize", "seqLen"]);
  const { batchSize, seqLen } = options;
  requireInteger("contiguousBatches", "batchSize", batchSize, 1);
  requireInteger("contiguousBatches", "seqLen", seqLen, 1);
  const stretch = Math.floor((ids.length - 1) / batchSize);
  const steps = Math.floor(stretch / seqLen);
  if (steps < 1)
    throw new ArgumentError(`contiguousBatches: needs ${batchSize * seqLen + 1} ids or more, got ${ids.length}`);
  let at = 0;
  return stream({
    nextBatch() {
      const starts = Array.from({ length: batchSize }, (_, row) => row * stretch + at * seqLen);
      const reset = at === 0;
      at = (at + 1) % steps;
      return { ...cutRows(ids, starts, seqLen), reset };
    },
    state: () => ({ kind: "contiguous", length: ids.length, at }),
    identity: () => ({ kind: "contiguous", batchSize, seqLen, ids: fingerprint(ids) }),
    restore(state) {
      const fields = stateFields(state, "contiguous");
      requireLength(fields["length"], ids.length);
      at = stateInteger(fields, "at", steps - 1);
    },
  });
}

/**
 * Next-token batches from random places of the ids.
 * Shapes: inputs, targets [b, seqLen]. Errors: `ArgumentError` where the ids are fewer than `seqLen + 1`.
 */
export function randomCrops(
  ids: Int32Array,
  options: SequenceOptions & { readonly seed: number },
): BatchStream<TokenBatch> {
  refuseUnknown("randomCrops", options, ["batchSize", "seqLen", "seed"]);
  const { batchSize, seqLen, seed } = options;
  requireInteger("randomCrops", "batchSize", batchSize, 1);
  requireInteger("randomCrops", "seqLen", seqLen, 1);
  if (ids.length <= seqLen) throw new ArgumentError(`randomCrops: needs ${seqLen + 1} ids or more, got ${ids.length}`);
  let rng = rngLane(seed, 5);
  return stream({
    nextBatch: () =>
      cutRows(
        ids,
        Array.from({ length: batchSize }, () => rng.integer(ids.length - seqLen)),
        seqLen,
      ),
    state: () => ({ kind: "crops", length: ids.length, random: rng.state() }),
    identity: () => ({ kind: "crops", batchSize, seqLen, seed, ids: fingerprint(ids) }),
    restore(state) {
      const fields = stateFields(state, "crops");
      requireLength(fields["length"], ids.length);
      rng = restoreRng(fields["random"]);
    },
  });
}

/**
 * Every id once as a target, in order, for evaluation: rows of `seqLen`, one a batch, each continuing the last one.
 * The last batch may be shorter. `reset` is true on the first. Errors: `ArgumentError` for `seqLen` below 1.
 */
export function* evaluationBatches(ids: Int32Array, seqLen: number): Generator<TokenBatch, void, undefined> {
  requireInteger("evaluationBatches", "seqLen", seqLen, 1);
  for (let at = 0; at + 1 < ids.length; at += seqLen) {
    yield { ...cutRows(ids, [at], Math.min(seqLen, ids.length - 1 - at)), reset: at === 0 };
  }
}

function cutRows(ids: Int32Array, starts: readonly number[], l: number): TokenBatch {
  const inputs = new Int32Array(starts.length * l); // [b, l]
  const targets = new Int32Array(starts.length * l);
  for (const [row, start] of starts.entries()) {
    inputs.set(ids.subarray(start, start + l), row * l);
    targets.set(ids.subarray(start + 1, start + l + 1), row * l);
  }
  const shape = [starts.length, l];
  return { inputs, targets, shape, targetShape: shape };
}

function requireLength(saved: JsonValue | undefined, length: number): void {
  if (saved !== length) throw new FormatError(`restore: state is for ${String(saved)} ids, not ${length}`);
}

/** Adds iteration to the three methods of a stream. */
export function stream<B extends TokenBatch>(methods: Omit<BatchStream<B>, typeof Symbol.iterator>): BatchStream<B> {
  return {
    ...methods,
    *[Symbol.iterator]() {
      for (;;) yield methods.nextBatch();
    },
  };
}
