import type { Block, BlockSource } from "./storage.ts";

/**
 * The memory of a captured graph. Blocks taken while recording belong to the graph: a freed one is reused
 * by later launches of the same graph (their order is fixed), never by anybody else. Blocks that were there
 * before and that the launches touch are held, so that a replay never reads memory that was given away.
 */
export class GraphMemory<B> implements BlockSource<B> {
  readonly #own = new Set<Block<B>>();
  readonly #pinned = new Set<Block<B>>();
  readonly #held = new Set<Block<B>>();
  readonly #free: Block<B>[] = [];
  readonly #parent: BlockSource<B>;
  #sealed = false;

  constructor(parent: BlockSource<B>) {
    this.#parent = parent;
  }

  /** Bytes the graph allocated for itself. */
  get bytes(): number {
    let total = 0;
    for (const block of this.#own) total += block.bytes;
    return total;
  }

  take(bytes: number): Block<B> {
    // Best fit, and never a block more than twice as large: large buffers stay for large needs.
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const size = this.#free[i]!.bytes;
      if (size < bytes || size > 2 * bytes + 256) continue;
      if (best < 0 || size < this.#free[best]!.bytes) best = i;
    }
    if (best >= 0) return this.#free.splice(best, 1)[0]!;
    const block = this.#parent.take(bytes);
    this.#own.add(block);
    return block;
  }

  /**
   * A block for values from JavaScript (a constant): never one that an earlier launch wrote, since a replay would write it again,
   * and kept to itself until the graph goes.
   */
  takePinned(bytes: number): Block<B> {
    const block = this.#parent.take(bytes);
    this.#own.add(block);
    this.#pinned.add(block);
    return block;
  }

  /** True for a block that was taken while recording. */
  owns(block: Block<B>): boolean {
    return this.#own.has(block);
  }

  giveBack(block: Block<B>): void {
    if (!this.#own.has(block)) this.#parent.giveBack(block);
    else if (!this.#pinned.has(block)) this.#free.push(block);
  }

  /** A block that a launch reads or writes. */
  touch(block: Block<B>): void {
    if (this.#own.has(block) || this.#held.has(block)) return;
    this.#held.add(block);
    block.holders++;
  }

  /** Ends the recording: from here on the graph itself holds its blocks, whatever happens to the tensors on them. */
  seal(): void {
    for (const block of this.#own) block.holders++;
    this.#free.length = 0;
    this.#sealed = true;
  }

  /** Gives everything back that no tensor looks into any more. Safe to call twice. */
  dispose(): void {
    for (const block of this.#held) this.#drop(block, true);
    for (const block of this.#own) this.#drop(block, this.#sealed);
    this.#held.clear();
    this.#own.clear();
    this.#pinned.clear();
    this.#free.length = 0;
  }

  #drop(block: Block<B>, holding: boolean): void {
    if (holding) block.holders--;
    if (block.holders === 0) this.#parent.giveBack(block);
  }
}
