/** What several streams say, as it comes; leaving the loop leaves all of them. */
export async function* merge<T>(streams: readonly AsyncIterable<T>[]): AsyncGenerator<{ from: number; value: T }> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const next = (from: number): Promise<{ from: number; result: IteratorResult<T> }> =>
    iterators[from]!.next().then((result) => ({ from, result }));
  const open = new Map(iterators.map((_, from) => [from, next(from)]));
  try {
    while (open.size > 0) {
      const { from, result } = await Promise.race(open.values());
      if (result.done === true) open.delete(from);
      else {
        open.set(from, next(from));
        yield { from, value: result.value };
      }
    }
  } finally {
    for (const waiting of open.values()) waiting.catch(() => undefined);
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}
