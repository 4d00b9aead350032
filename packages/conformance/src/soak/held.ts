import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { memory } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";

/** What a program and a backend hold at one moment. */
export interface Held {
  /** Tensors that are alive, and storages of the backend. */
  readonly handles: number;
  readonly storages: number;
  /** Bytes in storages, and what the backend holds of the machine for them. */
  readonly storageBytes: number;
  readonly backendBytes: number;
  /** Bytes that JavaScript's collector finds in use, buffers outside of its heap included. */
  readonly heapBytes: number;
  /** Told, not judged: what the system counts includes pages that were freed. */
  readonly residentBytes: number;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Counts once everything enqueued is done and what is unreachable is collected. */
export async function heldBy(backend: AnyBackend): Promise<Held> {
  await backend.finish();
  // What finalisers let go of is collected by the next round, in a turn of its own.
  for (let round = 0; round < 4; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { tensors: storages, tensorBytes: storageBytes, heldBytes: backendBytes } = backend.memory();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    handles: memory().tensors,
    storages,
    storageBytes,
    backendBytes,
    heapBytes: heapUsed + external,
    residentBytes: rss,
  };
}

const COUNTS = ["handles", "storages", "storageBytes"] as const;
const SIZES = ["backendBytes", "heapBytes"] as const;

/** What grew: counts that are not the same, sizes beyond a share. Empty where all is flat. */
export function growth(before: Held, after: Held, share: number): string[] {
  const counts = COUNTS.filter((name) => after[name] !== before[name]).map(
    (name) => `${name} was ${before[name]}, is ${after[name]}`,
  );
  const sizes = SIZES.filter((name) => after[name] > (1 + share) * before[name]).map(
    (name) =>
      `${name} was ${before[name]}, is ${after[name]}: ${(100 * (after[name] / before[name] - 1)).toFixed(2)} % more`,
  );
  return [...counts, ...sizes];
}
