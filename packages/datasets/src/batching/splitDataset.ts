import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { ArrayDataset, Numbers, Split } from "../batch.ts";
import { permutation, rngLane } from "../random.ts";
import { gather } from "./shuffledBatches.ts";

/** How many examples `splitDataset` keeps apart, and the seed that chooses them. */
export interface SplitOptions {
  /** Examples kept for each; the rest is the train part. */
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/**
 * Divides a dataset at random: every example is in exactly one part, the same for the same seed.
 * Errors: `ArgumentError` where nothing is left to train on.
 */
export function splitDataset<I extends Numbers, T extends Numbers>(
  dataset: ArrayDataset<I, T>,
  options: SplitOptions,
): Record<Split, ArrayDataset<I, T>> {
  refuseUnknown("splitDataset", options, ["validation", "test", "seed"]);
  const { validation, test, seed } = options;
  requireInteger("splitDataset", "validation", validation, 0);
  requireInteger("splitDataset", "test", test, 0);
  const train = dataset.length - validation - test;
  if (train < 1)
    throw new ArgumentError(
      `splitDataset: ${validation} + ${test} of ${dataset.length} examples leave none to train on`,
    );
  const order = permutation(rngLane(seed, 4), dataset.length);
  const part = (from: number, to: number): ArrayDataset<I, T> => {
    const indices = order.subarray(from, to);
    return {
      ...dataset,
      length: indices.length,
      inputs: gather(dataset.inputs, dataset.inputs.length / dataset.length, indices),
      targets: gather(dataset.targets, dataset.targets.length / dataset.length, indices),
    };
  };
  return {
    train: part(0, train),
    validation: part(train, train + validation),
    test: part(train + validation, dataset.length),
  };
}

/** The stretches of a text, in the order in which they stand in it. */
export interface TextParts {
  readonly train: string;
  readonly validation: string;
  readonly test: string;
}

/** Characters that a cut moves on at most, to find a better place than the middle of a word. */
const REACH = 0.02;

/**
 * Cuts a text in three stretches, in order; cuts move on to the next line break, so that no line is torn. Where none comes within a
 * fiftieth of the text, a space will do, and where there is none the share itself.
 * Errors: `ArgumentError` unless the shares are in [0, 1) and leave a train part, and where a part that is asked for would be empty.
 */
export function splitText(text: string, shares: { readonly validation: number; readonly test: number }): TextParts {
  const { validation, test } = shares;
  if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
    throw new ArgumentError(`splitText: shares must be at least 0 and sum to below 1, got ${validation} and ${test}`);
  }
  const [first, second] = [cutAt(text, 1 - validation - test), cutAt(text, 1 - test)];
  const parts = { train: text.slice(0, first), validation: text.slice(first, second), test: text.slice(second) };
  for (const [name, share] of Object.entries({ train: 1, validation, test }))
    if (share > 0 && text !== "" && parts[name as keyof TextParts] === "")
      throw new ArgumentError(`splitText: the ${name} part would be empty; the text has ${text.length} characters`);
  return parts;
}

function cutAt(text: string, share: number): number {
  if (share >= 1) return text.length;
  const from = Math.round(text.length * share);
  const last = from + Math.floor(text.length * REACH);
  for (const sign of ["\n", " "]) {
    const at = text.indexOf(sign, Math.max(0, from - 1)); // the share may fall just behind one
    if (at >= 0 && at <= last && at + 1 < text.length) return at + 1;
  }
  const torn = from > 0 && (text.codePointAt(from - 1) ?? 0) > 0xffff; // between the halves of one character
  return torn ? from + 1 : from;
}
