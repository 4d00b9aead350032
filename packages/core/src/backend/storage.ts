import { BackendError } from "../errors.ts";
import type { DType, DataId, StorageFormat, TensorInfo } from "./types.ts";

/** One allocation of a backend; freed when the last entry that looks into it is gone. */
export interface Block<B> {
  readonly buffer: B;
  /** Capacity in bytes. */
  readonly bytes: number;
  /** Entries and captured graphs that hold it. */
  holders: number;
}

/** What an entry of a `Storage` says of a tensor's values. */
interface Placement<B> {
  readonly block: Block<B>;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly format: StorageFormat;
}

/**
 * A tensor's place in a block. Several entries may share one block (views), several tensors one entry (reshapes).
 * It is the `dataId` of its tensors, so that finding it costs nothing.
 */
export class Entry<B> implements Placement<B>, TensorInfo {
  readonly dataId: DataId = this;
  readonly owner: Storage<B>;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly format: StorageFormat;
  refs = 1;
  #block: Block<B> | undefined;

  constructor(owner: Storage<B>, { block, byteOffset, bytes, shape, dtype, format }: Placement<B>) {
    this.owner = owner;
    this.#block = block;
    this.byteOffset = byteOffset;
    this.bytes = bytes;
    this.shape = shape;
    this.dtype = dtype;
    this.format = format;
  }

  /** @throws BackendError when the entry was released. */
  get block(): Block<B> {
    if (this.#block === undefined) throw this.owner.missing();
    return this.#block;
  }

  /** Lets go of the block, so that a disposed tensor that somebody still holds does not hold memory. */
  vacate(): void {
    this.#block = undefined;
  }
}

/** Where the blocks of a backend come from and go to. */
export interface BlockSource<B> {
  take(bytes: number): Block<B>;
  giveBack(block: Block<B>): void;
}

/**
 * The tensors of one backend: reference counts, views into shared blocks, and what is in use.
 * Errors: `BackendError` for a tensor that lives elsewhere or was disposed.
 */
export class Storage<B> {
  readonly #label: string;
  #count = 0;
  #bytes = 0;
  #source: BlockSource<B>;
  /** Entries made by the kernels that run now. */
  readonly #journal: Entry<B>[] = [];
  #running = 0;

  constructor(label: string, source: BlockSource<B>) {
    this.#label = label;
    this.#source = source;
  }

  /** Redirects allocation, while a graph is being captured; returns the previous source. */
  redirect(source: BlockSource<B>): BlockSource<B> {
    const previous = this.#source;
    this.#source = source;
    return previous;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes in live entries, views counted once per entry. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A new tensor, by default on a block of the present source. */
  make(
    shape: readonly number[],
    dtype: DType,
    bytes: number,
    format: StorageFormat,
    block: Block<B> = this.#source.take(bytes),
  ): TensorInfo {
    return this.#add(new Entry(this, { block, byteOffset: 0, bytes, shape, dtype, format }));
  }

  /** A second entry over part of a tensor's block: it stays valid after the first is gone. */
  view(of: TensorInfo, shape: readonly number[], byteOffset: number, bytes: number): TensorInfo {
    const { block, byteOffset: start, dtype, format } = this.get(of.dataId);
    return this.#add(new Entry(this, { block, byteOffset: start + byteOffset, bytes, shape, dtype, format }));
  }

  #add(entry: Entry<B>): TensorInfo {
    entry.block.holders++;
    this.#count++;
    this.#bytes += entry.bytes;
    if (this.#running > 0) this.#journal.push(entry);
    return entry;
  }

  /** Called before a kernel runs; what it makes from here on can be taken back with the number this returns. */
  begin(): number {
    this.#running++;
    return this.#journal.length;
  }

  /** Releases what was made since `begin`. */
  takeBack(from: number): void {
    for (const entry of this.#journal.splice(from)) this.release(entry, true);
  }

  /** Called when a kernel is done, or has failed. */
  end(): void {
    if (--this.#running === 0) this.#journal.length = 0;
  }

  has(dataId: DataId): boolean {
    return dataId instanceof Entry && dataId.owner === this && dataId.refs > 0;
  }

  get(dataId: DataId): Entry<B> {
    if (dataId instanceof Entry && dataId.owner === this && dataId.refs > 0) return dataId;
    throw this.missing();
  }

  missing(): BackendError {
    return new BackendError(
      `${this.#label}: the tensor is not here: it was disposed or lives on another backend (await model.to("${this.#label}") moves a model)`,
    );
  }

  /** Drops one reference (all of them if forced); true when the entry is gone. */
  release(dataId: DataId, force: boolean): boolean {
    if (!(dataId instanceof Entry) || dataId.owner !== this || dataId.refs === 0) return true;
    const entry: Entry<B> = dataId;
    entry.refs = force ? 0 : entry.refs - 1;
    if (entry.refs > 0) return false;
    const { block } = entry;
    entry.vacate();
    this.#count--;
    this.#bytes -= entry.bytes;
    block.holders--;
    if (block.holders === 0) this.#source.giveBack(block);
    return true;
  }
}
