import { ArgumentError } from "@statespace/core";
import type { SequenceInput } from "@statespace/models";
import type { Examples } from "./examples.ts";

/** Series to forecast; windows of them become examples. */
export interface Series {
  readonly series: readonly SequenceInput[];
  /** When each step of each series comes, ascending: of a model whose config says irregular. */
  readonly times?: readonly ArrayLike<number>[];
}

/** Windows to train on, and those kept apart. */
export interface Windows {
  readonly train: Examples;
  readonly heldOut: Examples | undefined;
}

/**
 * Every window of `context` steps with the `horizon` steps behind it. What is kept apart is the end of each series, and no window crosses
 * the cut: windows overlap, so that a random share of them would be known from their neighbours.
 * @throws ArgumentError where no series is long enough for a window to train on.
 */
export function windowsOf({ series, times }: Series, context: number, horizon: number, heldOut: number): Windows {
  const steps = series.map((each) => Array.from(each as ArrayLike<number>));
  const cuts = steps.map(({ length }) => Math.ceil(length * (1 - heldOut)));
  const train = cutWindows(
    steps.map((each, i) => each.slice(0, cuts[i])),
    times?.map((each, i) => Array.from(each).slice(0, cuts[i])),
    context,
    horizon,
  );
  if (train.inputs.length === 0)
    throw new ArgumentError(
      `fit: seqLen + horizon = ${context} + ${horizon} steps must fit in what a series has to train on, the longest ${Math.max(0, ...cuts)}`,
    );
  const apart = cutWindows(
    steps.map((each, i) => each.slice(cuts[i])),
    times?.map((each, i) => Array.from(each).slice(cuts[i])),
    context,
    horizon,
  );
  return { train, heldOut: apart.inputs.length === 0 ? undefined : apart };
}

function cutWindows(
  series: readonly (readonly number[])[],
  times: readonly (readonly number[])[] | undefined,
  context: number,
  horizon: number,
): Examples {
  const inputs: SequenceInput[] = [];
  const targets: SequenceInput[] = [];
  const ofInputs: (readonly number[])[] = [];
  series.forEach((steps, i) => {
    for (let at = 0; at + context + horizon <= steps.length; at++) {
      inputs.push(steps.slice(at, at + context));
      targets.push(steps.slice(at + context, at + context + horizon));
      if (times) ofInputs.push(times[i]!.slice(at, at + context));
    }
  });
  return { inputs, targets, ...(times && { times: ofInputs }) };
}

/** A context for which the part kept apart of the shortest series still has a window, at most `most`. */
export function contextOf({ series }: Series, horizon: number, heldOut: number, most: number): number {
  const shortest = Math.min(...series.map(({ length }) => length));
  const part = heldOut > 0 ? Math.floor(shortest * Math.min(heldOut, 1 - heldOut)) : Math.floor(shortest / 2);
  return Math.max(1, Math.min(most, part - horizon));
}
