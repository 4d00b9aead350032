/**
 * Hands out the indices of `keys` from the largest key down, the smaller index first among equals.
 * Building takes O(n), each pop O(log n): much less than a sort when few are taken.
 */
export class DescendingHeap {
  readonly #keys: Float64Array;
  readonly #heap: Int32Array;
  #size: number;

  constructor(keys: Float64Array) {
    this.#keys = keys;
    this.#size = keys.length;
    this.#heap = new Int32Array(keys.length);
    for (let i = 0; i < keys.length; i++) this.#heap[i] = i;
    for (let i = (keys.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get size(): number {
    return this.#size;
  }

  /** Index of the largest key left; the heap must not be empty. */
  peek(): number {
    return this.#heap[0];
  }

  pop(): number {
    const top = this.#heap[0];
    this.#heap[0] = this.#heap[--this.#size];
    this.#sink(0);
    return top;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const index = heap[start];
    let hole = start;
    for (let child = 2 * hole + 1; child < this.#size; child = 2 * hole + 1) {
      if (child + 1 < this.#size && this.#before(heap[child + 1], heap[child])) child++;
      if (!this.#before(heap[child], index)) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = index;
  }

  #before(a: number, b: number): boolean {
    const keys = this.#keys;
    return keys[a] > keys[b] || (keys[a] === keys[b] && a < b);
  }
}
