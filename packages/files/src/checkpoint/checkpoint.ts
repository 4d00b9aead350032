import { FormatError } from "@statespace/core";
import { throwIfAborted } from "../sources/abort.ts";
import { type RawTensor, toFloat32Array } from "../tensors/convert.ts";
import type { SafetensorsDType } from "../tensors/dtype.ts";
import {
  LENGTH_BYTES,
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
  type TensorInfo,
} from "../safetensors/safetensorsHeader.ts";
import { parseShardIndex } from "../safetensors/shardIndex.ts";
import type { CheckpointSource, FileStream, ReadOptions } from "../sources/source.ts";
import { isJsonObject, type JsonObject, parseStrictJsonBytes, quote } from "../strictJson.ts";

export const CONFIG_FILE = "config.json";
export const GENERATION_CONFIG_FILE = "generation_config.json";
export const WEIGHTS_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";
const PYTORCH_FILES = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/** No config or index of a real model comes near this; a larger one is an attack or another file. */
const MAX_JSON_BYTES = 64 << 20;

/** Type, shape and place of a tensor, as a header tells it. */
export interface TensorEntry {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** The file that holds it. */
  readonly shard: string;
}

/** The weights of an opened checkpoint: all headers are read and checked, no tensor is. */
export interface Weights {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Metadata of the first shard. */
  readonly metadata: ReadonlyMap<string, string>;
  keys(): string[];
  /** Reads one tensor. Errors: {@link FormatError} if there is none of that name. */
  tensor(name: string, options?: ReadOptions): Promise<RawTensor>;
  /** Reads one tensor as float32. */
  tensorF32(name: string, options?: ReadOptions): Promise<Float32Array>;
  /** All tensors in the order of the files, each shard read once from front to back: the way to load a whole model. */
  stream(options?: ReadOptions): AsyncGenerator<readonly [name: string, tensor: RawTensor], void, undefined>;
}

export interface Checkpoint extends Weights {
  readonly source: CheckpointSource;
  /** `config.json` as it stands; see `parseModelConfig`. */
  readonly config: JsonObject;
  /** `generation_config.json`, where there is one. */
  readonly generationConfig: JsonObject | undefined;
}

interface Shard {
  readonly file: string;
  readonly header: SafetensorsHeader;
}

/**
 * Opens a checkpoint folder: reads `config.json`, `generation_config.json` and the headers of the weights, and checks them against each other.
 * Errors: {@link FormatError} if a file is missing, corrupt or only `pytorch_model.bin` is there; {@link SourceError}; {@link AbortedError}.
 */
export async function openCheckpoint(source: CheckpointSource, options: ReadOptions = {}): Promise<Checkpoint> {
  const config = await readJson(source, CONFIG_FILE, options);
  if (config === undefined) throw new FormatError(`${source.name}: ${CONFIG_FILE} is missing`);
  const generationConfig = await readJson(source, GENERATION_CONFIG_FILE, options);
  const weights = await openWeights(source, options);
  return Object.assign(weights, { source, config, generationConfig });
}

/** Only the weights of {@link openCheckpoint}: one file or shards with an index. Errors as there. */
export async function openWeights(source: CheckpointSource, options: ReadOptions = {}): Promise<Weights> {
  const single = await openShard(source, WEIGHTS_FILE, options);
  if (single !== undefined) return new ShardedWeights(source, [single]);
  const index = await readJson(source, INDEX_FILE, options);
  if (index !== undefined) return new ShardedWeights(source, await openShards(source, index, options));
  for (const file of PYTORCH_FILES) {
    if ((await source.size(file, options)) === undefined) continue;
    throw new FormatError(
      `${source.name}: holds ${file} but no ${WEIGHTS_FILE}; pickled weights are not read, convert them to safetensors`,
    );
  }
  throw new FormatError(`${source.name}: ${WEIGHTS_FILE} is missing`);
}

/** A JSON object file of a checkpoint; `undefined` if it is not there. Errors: {@link FormatError} if it is not a JSON object. */
export async function readJson(
  source: CheckpointSource,
  file: string,
  options: ReadOptions = {},
): Promise<JsonObject | undefined> {
  const bytes = await source.read(file, { signal: options.signal, end: MAX_JSON_BYTES + 1 });
  if (bytes === undefined) return undefined;
  if (bytes.byteLength > MAX_JSON_BYTES) throw new FormatError(`${file}: must be at most ${MAX_JSON_BYTES} bytes`);
  const value = parseStrictJsonBytes(bytes, { what: file, nonFinite: true });
  if (!isJsonObject(value)) throw new FormatError(`${file}: must be a JSON object`);
  return value;
}

async function openShard(source: CheckpointSource, file: string, options: ReadOptions): Promise<Shard | undefined> {
  const prefix = await source.read(file, { ...options, start: 0, end: LENGTH_BYTES });
  if (prefix === undefined) return undefined;
  const size = (await source.size(file, options)) ?? undefined;
  const length = readHeaderLength(prefix, size, file);
  const json = await source.read(file, { ...options, start: LENGTH_BYTES, end: LENGTH_BYTES + length });
  if (json?.byteLength !== length)
    throw new FormatError(`${file}: truncated: the header is ${length} bytes long, got ${json?.byteLength ?? 0}`);
  return { file, header: parseHeader(json, size, file) };
}

async function openShards(source: CheckpointSource, indexJson: JsonObject, options: ReadOptions): Promise<Shard[]> {
  const index = parseShardIndex(indexJson, INDEX_FILE);
  const shards: Shard[] = [];
  let totalSize = 0;
  for (const file of index.shards) {
    const shard = await openShard(source, file, options);
    if (shard === undefined)
      throw new FormatError(`${source.name}: shard ${quote(file)} named by ${INDEX_FILE} is missing`);
    for (const key of shard.header.tensors.keys()) {
      if (index.shardOf.get(key) !== file)
        throw new FormatError(`${file}: tensor ${quote(key)} is not assigned to this shard by ${INDEX_FILE}`);
    }
    totalSize += shard.header.dataLength;
    shards.push(shard);
  }
  for (const [key, file] of index.shardOf) {
    const shard = shards.find((candidate) => candidate.file === file);
    if (!shard?.header.tensors.has(key))
      throw new FormatError(`${file}: tensor ${quote(key)} promised by ${INDEX_FILE} is missing`);
  }
  if (index.totalSize !== undefined && index.totalSize !== totalSize) {
    throw new FormatError(
      `${INDEX_FILE}: metadata.total_size is ${index.totalSize}, the shards hold ${totalSize} bytes`,
    );
  }
  return shards;
}

class ShardedWeights implements Weights {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: CheckpointSource;
  readonly #shards: readonly Shard[];

  constructor(source: CheckpointSource, shards: readonly Shard[]) {
    this.#source = source;
    this.#shards = shards;
    this.metadata = shards[0].header.metadata;
    const entries = new Map<string, TensorEntry>();
    for (const { file, header } of shards) {
      for (const { name, dtype, shape, begin, end } of header.tensors.values()) {
        entries.set(name, { dtype, shape, byteLength: end - begin, shard: file });
      }
    }
    this.entries = entries;
  }

  keys(): string[] {
    return [...this.entries.keys()];
  }

  async tensor(name: string, options: ReadOptions = {}): Promise<RawTensor> {
    const { file, header, info } = this.#find(name);
    const start = header.dataStart + info.begin;
    const bytes = await this.#source.read(file, { ...options, start, end: header.dataStart + info.end });
    if (bytes?.byteLength !== info.end - info.begin)
      throw new FormatError(`${file}: truncated in tensor ${quote(name)}`);
    return { dtype: info.dtype, shape: info.shape, bytes };
  }

  async tensorF32(name: string, options: ReadOptions = {}): Promise<Float32Array> {
    return toFloat32Array(await this.tensor(name, options));
  }

  async *stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    for (const shard of this.#shards) {
      const stream = await this.#source.stream(shard.file, options);
      if (stream === undefined) throw new FormatError(`${this.#source.name}: ${shard.file} is missing`);
      yield* splitTensors(stream, shard, options);
    }
  }

  #find(name: string): Shard & { info: TensorInfo } {
    for (const shard of this.#shards) {
      const info = shard.header.tensors.get(name);
      if (info !== undefined) return { ...shard, info };
    }
    throw new FormatError(`${this.#source.name}: tensor ${quote(name)} is missing`);
  }
}

/** Cuts a shard's chunks into tensors, each in a buffer of its own. */
async function* splitTensors(
  stream: FileStream,
  { file, header }: Shard,
  options: ReadOptions,
): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
  const chunks = stream.chunks[Symbol.asyncIterator]();
  let chunk = new Uint8Array(0);
  const take = async (target: Uint8Array | undefined, length: number): Promise<void> => {
    for (let filled = 0; filled < length;) {
      if (chunk.byteLength === 0) {
        throwIfAborted(options.signal, file);
        const next = await chunks.next();
        if (next.done === true) throw new FormatError(`${file}: truncated: ended ${length - filled} bytes early`);
        chunk = next.value as Uint8Array<ArrayBuffer>;
        continue;
      }
      const part = chunk.subarray(0, length - filled);
      target?.set(part, filled);
      filled += part.byteLength;
      chunk = chunk.subarray(part.byteLength);
    }
  };
  try {
    await take(undefined, header.dataStart);
    for (const { name, dtype, shape, begin, end } of header.tensors.values()) {
      const bytes = new Uint8Array(end - begin);
      await take(bytes, bytes.byteLength);
      yield [name, { dtype, shape, bytes }];
    }
    // Lets the source see the end of the file: a cache stores it only then, and a longer file is a changed one.
    if (chunk.byteLength > 0 || (await chunks.next()).done !== true)
      throw new FormatError(`${file}: bytes after the last tensor`);
  } finally {
    await chunks.return?.();
  }
}
