export interface CountedPair {
  readonly pair: number;
  readonly count: number;
}

/** Binary heap of pairs: the highest count first, among equals the smallest pair. */
export class PairHeap {
  readonly #items: CountedPair[] = [];

  push(pair: number, count: number): void {
    const items = this.#items;
    const item = { pair, count };
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent])) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = item;
  }

  pop(): CountedPair | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1], items[child])) child++;
      if (!before(items[child], last)) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function before(p: CountedPair, q: CountedPair): boolean {
  return p.count > q.count || (p.count === q.count && p.pair < q.pair);
}
