import { ArgumentError } from "@statespace/core";
import type { Examples, SequenceLike } from "./examples.ts";

/** Series to forecast; windows of them become examples. */
export interface Series {
  readonly series: readonly SequenceLike[];
}

/**
 * Every window of `context` steps with the `horizon` steps behind it.
 * @throws ArgumentError where no series is long enough for one.
 */
export function windowsOf({ series }: Series, context: number, horizon: number): Examples {
  const inputs: SequenceLike[] = [];
  const targets: SequenceLike[] = [];
  for (const each of series) {
    const steps = Array.from(each as ArrayLike<number>);
    for (let at = 0; at + context + horizon <= steps.length; at++) {
      inputs.push(steps.slice(at, at + context));
      targets.push(steps.slice(at + context, at + context + horizon));
    }
  }
  if (inputs.length === 0)
    throw new ArgumentError(
      `fit: a series must have seqLen + horizon = ${context} + ${horizon} steps at least, the longest has ${Math.max(0, ...series.map(({ length }) => length))}`,
    );
  return { inputs, targets };
}

/** A context that a series of the shortest length still has a window for: half of it, at most `most`. */
export function contextOf({ series }: Series, horizon: number, most: number): number {
  const shortest = Math.min(...series.map(({ length }) => length));
  return Math.max(1, Math.min(most, Math.floor((shortest - horizon) / 2)));
}
