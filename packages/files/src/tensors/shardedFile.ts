import { FormatError } from "@statespace/core";
import type { ReadOptions } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import type { RawTensor } from "./convert.ts";
import type { TensorEntry, TensorFile, TensorPiece } from "./tensorFile.ts";

/** Several files read as one. */
export class ShardedFile implements TensorFile {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
  readonly #name: string;
  readonly #shards: readonly TensorFile[];

  constructor(name: string, shards: readonly TensorFile[], notes: readonly string[] = []) {
    this.notes = notes;
    this.#name = name;
    this.#shards = shards;
    this.metadata = shards[0].metadata;
    this.entries = new Map(shards.flatMap(({ entries }) => [...entries]));
  }

  async read(name: string, options: ReadOptions = {}): Promise<RawTensor> {
    return this.#shardOf(name).read(name, options);
  }

  async slice(name: string, begin: number, end: number, options: ReadOptions = {}): Promise<Uint8Array> {
    return this.#shardOf(name).slice(name, begin, end, options);
  }

  #shardOf(name: string): TensorFile {
    const shard = this.#shards.find(({ entries }) => entries.has(name));
    if (shard === undefined) throw new FormatError(`${this.#name}: tensor ${quote(name)} is missing`);
    return shard;
  }

  async *pieces(options: ReadOptions = {}): AsyncGenerator<TensorPiece, void, undefined> {
    for (const shard of this.#shards) yield* shard.pieces(options);
  }

  async *stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    for (const shard of this.#shards) yield* shard.stream(options);
  }
}
