import { FormatError, Rng } from "@statespace/core";
import { requireInteger } from "./arguments.ts";
import type { JsonValue } from "./batch.ts";

/** Generator number `lane` of a seed in [0, 2^32): lanes of one seed are unrelated streams. */
export function rngLane(seed: number, lane: number): Rng {
  requireInteger("random", "seed", seed, 0, 2 ** 32 - 1);
  return new Rng(seed + lane * 2 ** 32); // the upper word of the seed is hashed on its own
}

/** A generator of its own, seeded from `rng`. */
export function forkRng(rng: Rng): Rng {
  return new Rng(rng.uint32() + (rng.uint32() >>> 11) * 2 ** 32); // 53 bits: the largest safe seed
}

/** The numbers 0 .. n-1 in random order. */
export function permutation(rng: Rng, n: number): Int32Array {
  return rng.shuffle(Int32Array.from({ length: n }, (_, i) => i));
}

/** Errors: `FormatError` unless `state` is what `rng.state()` gave. */
export function restoreRng(state: JsonValue | undefined): Rng {
  try {
    return Rng.fromState(state as number[]);
  } catch (cause) {
    throw new FormatError(`restore: broken generator state ${JSON.stringify(state)?.slice(0, 80)}`, { cause });
  }
}
