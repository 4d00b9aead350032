import { Rng, StatespaceError } from "@statespace/core";
import type { Kind } from "./kinds.ts";
import { mutateBytes } from "./mutateBytes.ts";

/** What came of the mutations of one kind. */
export interface FuzzResult {
  readonly rounds: number;
  /** Read without an error. */
  readonly accepted: number;
  /** The longest of them. */
  readonly slowestMs: number;
  /** The most that one set aside beside twice its file: in buffers, all of them together, and on the heap, where names, numbers and texts are objects. */
  readonly bufferBytes: number;
  readonly heapBytes: number;
}

/** Reads that take longer hang. */
const LONGEST_MS = 2000;
/** Buffers beside twice the file: the first 64 bytes, by which a page or a pointer in its place is told, and some hundred bytes that any tokenizer has. */
const BUFFER_BYTES = 1 << 10;
/**
 * On the heap: whatever was made since the engine last cleared away, also what is garbage by now. An object takes a hundred bytes where the file has three
 * ("{},"), and a template that goes round as often as it may writes a megabyte of text.
 */
const HEAP_BYTES = 4 << 20;

/**
 * Mutates files of a kind and reads them.
 * @throws Error naming the seed and round of a mutation that ends in an error that is not typed, hangs, or sets aside more than it may
 */
export async function fuzz(kind: Kind, rounds: number, seed: number): Promise<FuzzResult> {
  const rng = new Rng(seed);
  for (const file of kind.seeds) await kind.read(file);
  let [accepted, slowestMs, bufferBytes, heapBytes] = [0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const seedFile = kind.seeds[round % kind.seeds.length]!;
    const file = kind.mutate?.(seedFile, rng) ?? mutateBytes(seedFile, rng, kind.header ?? seedFile.byteLength);
    const where = `round ${round} of seed ${seed}`;
    const before = process.memoryUsage();
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
    // The header once, and its lists or the tensors once: what buffers hold that is freed by then counts too.
    const after = process.memoryUsage();
    const buffers = after.arrayBuffers - before.arrayBuffers - 2 * file.byteLength;
    const heap = after.heapUsed - before.heapUsed - 2 * file.byteLength;
    bufferBytes = Math.max(bufferBytes, buffers);
    heapBytes = Math.max(heapBytes, heap);
    if (buffers > BUFFER_BYTES || heap > HEAP_BYTES)
      throw new Error(`${where}: set aside ${buffers} bytes in buffers and ${heap} on the heap beside twice the file`);
  }
  return { rounds, accepted, slowestMs, bufferBytes, heapBytes };
}
