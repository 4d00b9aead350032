import { Rng, StatespaceError } from "@statespace/core";
import type { Kind } from "./kinds.ts";
import { mutateBytes } from "./mutateBytes.ts";

/** What came of the mutations of one kind. */
export interface FuzzResult {
  readonly rounds: number;
  /** Read without an error. */
  readonly accepted: number;
  /** The longest of them, and the most memory that one set aside beside twice its file. */
  readonly slowestMs: number;
  readonly excessBytes: number;
}

/** Reads that take longer hang. */
const LONGEST_MS = 2000;
/** Twice the file, and what any read takes: the first piece of a header and tables that are made once. */
const SLACK_BYTES = 4 << 20;

/**
 * Mutates files of a kind and reads them.
 * @throws Error naming the seed and round of a mutation that ends in an error that is not typed, hangs, or sets aside more than it may
 */
export async function fuzz(kind: Kind, rounds: number, seed: number): Promise<FuzzResult> {
  const rng = new Rng(seed);
  for (const file of kind.seeds) await kind.read(file);
  let [accepted, slowestMs, excessBytes] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const seedFile = kind.seeds[round % kind.seeds.length]!;
    const file = kind.mutate?.(seedFile, rng) ?? mutateBytes(seedFile, rng, kind.header ?? seedFile.byteLength);
    const where = `round ${round} of seed ${seed}`;
    const before = process.memoryUsage().arrayBuffers;
    const start = performance.now();
    try {
      await kind.read(file);
      accepted++;
    } catch (error) {
      if (!(error instanceof StatespaceError) || error.message.length < 10)
        throw new Error(`${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, {
          cause: error,
        });
    }
    const took = performance.now() - start;
    slowestMs = Math.max(slowestMs, took);
    if (took > LONGEST_MS) throw new Error(`${where}: took ${took.toFixed(0)} ms`);
    // Each tensor of a whole file is read twice over, in one buffer each time.
    const excess = process.memoryUsage().arrayBuffers - before - 4 * file.byteLength;
    excessBytes = Math.max(excessBytes, excess);
    if (excess > SLACK_BYTES) throw new Error(`${where}: set aside ${excess} bytes beside four times the file`);
  }
  return { rounds, accepted, slowestMs, excessBytes };
}
