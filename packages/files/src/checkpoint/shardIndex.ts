import { FormatError } from "@statespace/core";
import { assertFlatName } from "../sources/source.ts";
import { isJsonObject, type JsonValue, quote } from "../strictJson.ts";

/** `model.safetensors.index.json` or `pytorch_model.bin.index.json`: which file of a sharded checkpoint holds which tensor. */
export interface ShardIndex {
  readonly shardOf: ReadonlyMap<string, string>;
  /** Shard files in the order they first appear. */
  readonly shards: readonly string[];
  /** Bytes of all tensors together, if the index says. */
  readonly totalSize: number | undefined;
}

/** Errors: {@link FormatError} if a field has the wrong type or a shard's name leaves the checkpoint's folder. */
export function parseShardIndex(value: JsonValue, file: string, extension: string): ShardIndex {
  if (!isJsonObject(value)) throw new FormatError(`${file}: must be a JSON object`);
  const map = value.weight_map;
  if (!isJsonObject(map)) throw new FormatError(`${file}: weight_map must be an object`);
  const shardOf = new Map<string, string>();
  for (const key of Object.keys(map)) {
    const shard = map[key];
    if (typeof shard !== "string") throw new FormatError(`${file}: weight_map entry ${quote(key)} must be a file name`);
    assertFlatName(shard, `${file}: weight_map entry ${quote(key)}`);
    if (!shard.endsWith(extension))
      throw new FormatError(
        `${file}: weight_map entry ${quote(key)} must name a ${extension} file, got ${quote(shard)}`,
      );
    shardOf.set(key, shard);
  }
  if (shardOf.size === 0) throw new FormatError(`${file}: weight_map must not be empty`);
  return { shardOf, shards: [...new Set(shardOf.values())], totalSize: parseTotalSize(value.metadata, file) };
}

function parseTotalSize(metadata: JsonValue | undefined, file: string): number | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isJsonObject(metadata)) throw new FormatError(`${file}: metadata must be an object`);
  const size = metadata.total_size;
  if (size === undefined) return undefined;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new FormatError(`${file}: metadata.total_size must be a whole number of bytes`);
  return size;
}
