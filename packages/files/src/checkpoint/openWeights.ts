import { FormatError } from "@statespace/core";
import { openPytorch } from "../pytorch/openPytorch.ts";
import { openSafetensors } from "../safetensors/openSafetensors.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { type JsonObject, quote } from "../strictJson.ts";
import { ShardedFile } from "../tensors/shardedFile.ts";
import type { TensorFile } from "../tensors/tensorFile.ts";
import { readJson } from "./readJson.ts";
import { parseShardIndex, type ShardIndex } from "./shardIndex.ts";

/** The file of a checkpoint folder that holds the weights, where one file does. */
export const WEIGHTS_FILE = "model.safetensors";
/** The same of PyTorch, which is read where there is no safetensors file. */
export const PYTORCH_FILE = "pytorch_model.bin";

interface WeightFormat {
  /** The one file, and the index where there are several. */
  readonly single: string;
  readonly index: string;
  readonly extension: string;
  readonly open: (source: Source, file: string, options: ReadOptions) => Promise<TensorFile | undefined>;
}

/** Those that transformers writes, the one it prefers first. */
const FORMATS: readonly WeightFormat[] = [
  {
    single: WEIGHTS_FILE,
    index: `${WEIGHTS_FILE}.index.json`,
    extension: ".safetensors",
    open: openSafetensors,
  },
  { single: PYTORCH_FILE, index: `${PYTORCH_FILE}.index.json`, extension: ".bin", open: openPytorch },
];

/**
 * The weights of a checkpoint folder: one file, or shards with an index; safetensors, or else what PyTorch's `torch.save` wrote. No tensor is read.
 * Errors: {@link FormatError} if there are none, a file is damaged or the index and the shards differ; {@link SourceError}; {@link AbortedError}.
 */
export async function openWeights(source: Source, options: ReadOptions = {}): Promise<TensorFile> {
  for (const format of FORMATS) {
    const single = await format.open(source, format.single, options);
    if (single !== undefined) return single;
    const index = await readJson(source, format.index, options);
    if (index !== undefined) return openShards(source, format, index, options);
  }
  throw new FormatError(`${source.name}: ${WEIGHTS_FILE} is missing`);
}

async function openShards(
  source: Source,
  format: WeightFormat,
  json: JsonObject,
  options: ReadOptions,
): Promise<TensorFile> {
  const index = parseShardIndex(json, format.index, format.extension);
  const shards = new Map<string, TensorFile>();
  for (const file of index.shards) {
    const shard = await format.open(source, file, options);
    if (shard === undefined)
      throw new FormatError(`${source.name}: shard ${quote(file)} named by ${format.index} is missing`);
    for (const key of shard.entries.keys()) {
      if (index.shardOf.get(key) !== file)
        throw new FormatError(`${file}: tensor ${quote(key)} is not assigned to this shard by ${format.index}`);
    }
    shards.set(file, shard);
  }
  return new ShardedFile(source.name, [...shards.values()], unkept(index, shards, format));
}

/**
 * What an index says and its shards do not hold. Whether a tensor that is not there is needed is the model's to say: indexes name tied heads that
 * were not written, and count bytes as they please.
 */
function unkept(index: ShardIndex, shards: ReadonlyMap<string, TensorFile>, format: WeightFormat): string[] {
  const missing = [...index.shardOf].filter(([key, file]) => !shards.get(file)?.entries.has(key));
  const notes = missing.map(
    ([key, file]) => `${format.index} names the tensor ${quote(key)}, which ${file} does not hold`,
  );
  // In PyTorch's files tensors may share memory, and how an index counts that has changed over the years.
  if (index.totalSize === undefined || format.open !== openSafetensors) return notes;
  let total = 0;
  for (const { entries } of shards.values()) for (const { byteLength } of entries.values()) total += byteLength;
  if (index.totalSize !== total)
    notes.push(`${format.index} says total_size is ${index.totalSize}, the shards hold ${total} bytes`);
  return notes;
}
