import { ArgumentError } from "@statespace/core";
import type { Model } from "../model/model.ts";

/** When each token of each sequence comes. */
export type Times = readonly ArrayLike<number>[];

/** The times of sequences, where the model takes some. @throws ArgumentError where they are missing, too many, or not taken. */
export function checkedTimes(
  model: Model,
  times: Times | undefined,
  sequences: number,
  what: string,
): Times | undefined {
  const { irregular } = model.resolved;
  if (times === undefined) {
    if (!irregular) return undefined;
    throw new ArgumentError(`${what}: times are needed, when each token comes: the model's config says irregular`);
  }
  if (!irregular) throw new ArgumentError(`${what}: times are for a model whose config says irregular`);
  if (times.length !== sequences)
    throw new ArgumentError(`${what}: times must be as many as the sequences, ${sequences}, got ${times.length}`);
  return times;
}

/** The usual time from token to token of what a model was trained on; 1 before it was. @throws ArgumentError unless its config says irregular. */
export async function usualGap(model: Model): Promise<number> {
  const { timeUnit } = model.units;
  if (timeUnit === undefined)
    throw new ArgumentError("usualGap: the model takes no times; its config must say irregular");
  const [unit] = await timeUnit.read();
  return unit! > 0 ? unit! : 1;
}

/**
 * Time since the token before, in units of the usual; 1 for the first.
 * @throws ArgumentError unless there is an ascending time for each token; two may be at once.
 */
export function gapsOf(times: ArrayLike<number>, length: number, unit: number, where: string): Float32Array {
  if (times.length !== length)
    throw new ArgumentError(`${where} must have a time for each of ${length} tokens, got ${times.length}`);
  return Float32Array.from({ length }, (_, i) => {
    const gap = i === 0 ? unit : times[i]! - times[i - 1]!;
    if (!(gap >= 0 && Number.isFinite(gap)))
      throw new ArgumentError(`${where} must ascend, got ${times[i]} after ${times[i - 1]} at ${i}`);
    return gap / unit;
  });
}
