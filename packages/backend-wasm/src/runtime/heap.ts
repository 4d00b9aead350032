import { OutOfMemoryError } from "@statespace/core";

const PAGE = 65536;
const LINE = 64;
/** Growth in one step: at least this, so that growing is rare, or an eighth of what there is. */
const STEP = 16 << 20;
const MOST_STEP = 48 << 20;
/** Blocks from here on have no classes: a model's weights would lose too much to rounding, and to free blocks that fit nothing else. */
const LARGE = 1 << 20;
const LARGE_STEP = 4096;

/**
 * Size of the class that `bytes` falls into: four classes a doubling, multiples of 64, so that at most a fifth is lost
 * and a block that was freed fits every later request of its class exactly. Large blocks are multiples of 4 KiB.
 */
export function classSize(bytes: number): number {
  if (bytes > LARGE) return Math.ceil(bytes / LARGE_STEP) * LARGE_STEP;
  if (bytes <= 4 * LINE) return Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
  const quarter = 2 ** Math.floor(Math.log2(bytes - 1)) / 4;
  return Math.ceil(bytes / quarter) * quarter;
}

/** The memory as the heap sees it: it may lie in a worker, which then grows it in turn. */
export interface Growable {
  readonly buffer: { readonly byteLength: number };
  grow(pages: number): void;
}

/** A free stretch of memory. */
interface Span {
  start: number;
  size: number;
}

/**
 * Allocator over one WebAssembly memory: size classes with free lists, carved from spans. A training run repeats its
 * requests, so after the first step every request is met by a list. Only when memory cannot grow are free blocks
 * merged back into spans and divided anew. Large blocks go back to the spans at once, and take the smallest that holds them.
 */
export class Heap {
  readonly memory: Growable;
  readonly #limit: number;
  readonly #lists = new Map<number, number[]>();
  #spans: Span[];
  #used = 0;

  /** `base`: first free byte; `limit`: bytes the memory may grow to. */
  constructor(memory: Growable, base: number, limit: number) {
    this.memory = memory;
    this.#limit = limit;
    const start = Math.ceil(base / LINE) * LINE;
    this.#spans = [{ start, size: memory.buffer.byteLength - start }];
  }

  /** Bytes in blocks that are handed out. */
  get used(): number {
    return this.#used;
  }

  /** Bytes the memory takes from the system. */
  get held(): number {
    return this.memory.buffer.byteLength;
  }

  /** Address of an uninitialised block, a multiple of 64. @throws OutOfMemoryError with nothing changed. */
  allocate(bytes: number): number {
    const size = classSize(bytes);
    const at = this.#lists.get(size)?.pop() ?? this.#carve(size) ?? this.#grow(size) ?? this.#mergeAndCarve(size);
    if (at === undefined) {
      throw new OutOfMemoryError(`wasm: no room for ${bytes} bytes (${this.#used} in use, at most ${this.#limit})`);
    }
    this.#used += size;
    return at;
  }

  free(at: number, bytes: number): void {
    const size = classSize(bytes);
    this.#used -= size;
    const list = this.#lists.get(size);
    if (size > LARGE) this.#release(at, size);
    else if (list) list.push(at);
    else this.#lists.set(size, [at]);
  }

  /** Puts a block back among the spans, which lie in order, and joins it with its neighbours. */
  #release(start: number, size: number): void {
    const spans = this.#spans;
    const found = spans.findIndex((span) => span.start > start);
    const i = found < 0 ? spans.length : found;
    const [before, after] = [spans[i - 1], spans[i]];
    const joinsAfter = after !== undefined && start + size === after.start;
    if (before !== undefined && before.start + before.size === start) {
      before.size += size + (joinsAfter ? after.size : 0);
      if (joinsAfter) spans.splice(i, 1);
    } else if (joinsAfter) {
      after.start = start;
      after.size += size;
    } else spans.splice(i, 0, { start, size });
  }

  /** The first span that holds a small block, the smallest that holds a large one. */
  #fitting(size: number): Span | undefined {
    if (size <= LARGE) return this.#spans.find((span) => span.size >= size);
    let best: Span | undefined;
    for (const span of this.#spans) if (span.size >= size && span.size < (best?.size ?? Infinity)) best = span;
    return best;
  }

  #carve(size: number): number | undefined {
    const span = this.#fitting(size);
    if (!span) return undefined;
    const at = span.start;
    span.start += size;
    span.size -= size;
    if (span.size === 0) this.#spans.splice(this.#spans.indexOf(span), 1);
    return at;
  }

  #grow(size: number): number | undefined {
    const end = this.memory.buffer.byteLength;
    const last = this.#spans.at(-1);
    const atEnd = last !== undefined && last.start + last.size === end;
    const missing = size - (atEnd ? last.size : 0);
    const wanted = Math.min(this.#limit - end, Math.max(missing, Math.min(MOST_STEP, Math.max(STEP, end / 8))));
    for (const bytes of [wanted, missing]) {
      const pages = Math.ceil(bytes / PAGE);
      if (bytes < missing || end + pages * PAGE > this.#limit) continue;
      try {
        this.memory.grow(pages);
      } catch {
        continue; // the engine refuses this much: try just what is missing
      }
      if (atEnd) last.size += pages * PAGE;
      else this.#spans.push({ start: end, size: pages * PAGE });
      return this.#carve(size);
    }
    return undefined;
  }

  /** Merges every free block and span with its neighbours, then tries again. */
  #mergeAndCarve(size: number): number | undefined {
    const all = this.#spans;
    for (const [blockSize, list] of this.#lists) for (const start of list) all.push({ start, size: blockSize });
    this.#lists.clear();
    all.sort((a, b) => a.start - b.start);
    const merged: Span[] = [];
    for (const span of all) {
      const last = merged.at(-1);
      if (last && last.start + last.size === span.start) last.size += span.size;
      else merged.push(span);
    }
    this.#spans = merged;
    return this.#carve(size) ?? this.#grow(size);
  }
}
