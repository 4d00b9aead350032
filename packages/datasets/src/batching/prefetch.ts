import { AbortedError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { Batch, BatchStream, JsonValue } from "../batch.ts";

/** How far ahead batches are made, and how to stop it. */
export interface PrefetchOptions {
  /** Batches held ready. Default 2. */
  readonly depth?: number;
  /** Ends the iteration with `AbortedError`. */
  readonly signal?: AbortSignal;
}

/** Batches made ahead of time; `state()` is that after the last batch handed out, not after the last one made. */
export interface PrefetchedBatches<B extends Batch> extends AsyncIterable<B> {
  state(): JsonValue;
}

/**
 * Makes batches of a stream ahead of their use, in turns of the event loop in which the consumer waits
 * (for a device, a disk). Saving `state()` while batches lie ready loses none of them on resume.
 * Errors: `ArgumentError` for a depth below 1; `AbortedError`; what the stream throws.
 */
export function prefetchBatches<B extends Batch>(
  source: BatchStream<B>,
  options: PrefetchOptions = {},
): PrefetchedBatches<B> {
  refuseUnknown("prefetchBatches", options, ["depth", "signal"]);
  const { depth = 2, signal } = options;
  requireInteger("prefetchBatches", "depth", depth, 1, 1024);
  let delivered = source.state();
  async function* iterate(): AsyncGenerator<B, void, undefined> {
    source.restore(delivered); // a second iteration goes on where the first one stopped, not where its reserve ended
    const run = { open: true };
    try {
      for await (const { batch, state } of prefetch(aheadOf(source, run), depth, signal)) {
        delivered = state;
        yield batch;
      }
    } finally {
      run.open = false; // a batch still on order must not be drawn from a stream that someone else now reads
    }
  }
  return { state: () => delivered, [Symbol.asyncIterator]: iterate };
}

interface StampedBatch<B> {
  readonly batch: B;
  readonly state: JsonValue;
}

async function* aheadOf<B extends Batch>(
  source: BatchStream<B>,
  run: { readonly open: boolean },
): AsyncGenerator<StampedBatch<B>, void, undefined> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve)); // leaves the turn to the consumer first
    if (!run.open) return;
    yield { batch: source.nextBatch(), state: source.state() };
  }
}

/**
 * Reads up to `depth` items of any iterable ahead, in order.
 * Errors: those of the source, where they belong in the order; `AbortedError` once the signal fires.
 */
export async function* prefetch<T>(
  source: AsyncIterable<T> | Iterable<T>,
  depth: number = 2,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  requireInteger("prefetch", "depth", depth, 1, 1024);
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const waiting: Promise<IteratorResult<T>>[] = [];
  let tail: Promise<unknown> = Promise.resolve();
  const request = (): void => {
    // One after another: not every iterator bears a second next() while the first is open.
    const item = tail.then(() => iterator.next());
    item.catch(() => undefined); // reported when its turn comes, not as an unhandled rejection before
    tail = item;
    waiting.push(item);
  };
  try {
    for (;;) {
      while (waiting.length < depth) request();
      if (signal?.aborted) throw new AbortedError("prefetch: aborted", { cause: signal.reason });
      const item = await untilAborted(waiting.shift() as Promise<IteratorResult<T>>, signal);
      if (item.done) return;
      request();
      yield item.value;
    }
  } finally {
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new AbortedError("prefetch: aborted", { cause: signal.reason }));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener("abort", stop);
  }
}
