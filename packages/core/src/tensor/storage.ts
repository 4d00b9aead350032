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

/** A tensor's place in a block. Several entries may share one block (views), several tensors one entry (reshapes). */
export interface Entry<B> {
  readonly block: Block<B>;
  readonly byteOffset: number;
  readonly bytes: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly format: StorageFormat;
  refs: number;
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
  readonly #entries = new Map<DataId, Entry<B>>();
  readonly #label: string;
  #bytes = 0;
  #source: BlockSource<B>;

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
    return this.#entries.size;
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
    return this.#add({ block, byteOffset: 0, bytes, shape, dtype, format, refs: 1 });
  }

  /** A second entry over part of a tensor's block: it stays valid after the first is gone. */
  view(of: TensorInfo, shape: readonly number[], byteOffset: number, bytes: number): TensorInfo {
    const entry = this.get(of.dataId);
    return this.#add({ ...entry, byteOffset: entry.byteOffset + byteOffset, bytes, shape, refs: 1 });
  }

  #add(entry: Entry<B>): TensorInfo {
    const dataId: DataId = {};
    entry.block.holders++;
    this.#entries.set(dataId, entry);
    this.#bytes += entry.bytes;
    return { dataId, shape: [...entry.shape], dtype: entry.dtype };
  }

  has(dataId: DataId): boolean {
    return this.#entries.has(dataId);
  }

  get(dataId: DataId): Entry<B> {
    const entry = this.#entries.get(dataId);
    if (entry === undefined) {
      throw new BackendError(
        `${this.#label}: the tensor is not here: it was disposed or lives on another backend (await model.to("${this.#label}") moves a model)`,
      );
    }
    return entry;
  }

  /** Drops one reference (all of them if forced); true when the entry is gone. */
  release(dataId: DataId, force: boolean): boolean {
    const entry = this.#entries.get(dataId);
    if (entry === undefined) return true;
    entry.refs = force ? 0 : entry.refs - 1;
    if (entry.refs > 0) return false;
    this.#entries.delete(dataId);
    this.#bytes -= entry.bytes;
    entry.block.holders--;
    if (entry.block.holders === 0) this.#source.giveBack(entry.block);
    return true;
  }
}
