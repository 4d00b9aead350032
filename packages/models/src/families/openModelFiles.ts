import { FormatError } from "@statespace/core";
import {
  locateGguf,
  openCheckpoint,
  openGguf,
  openSource,
  type GgufFile,
  type OpenSourceOptions,
  type ReadOptions,
  type SourceLike,
  type TensorFile,
} from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import type { Family } from "./family.ts";
import { ggufConfig } from "./gguf/ggufConfig.ts";
import { refusePackedElsewhere } from "./packedElsewhere.ts";
import { familyOf } from "./registry.ts";

/** A model's files, opened: what they say of it, and the tensors, of which none is read. */
export interface ModelFiles {
  readonly family: Family;
  /** `config.json`, or the metadata of a GGUF file. */
  readonly fields: ConfigFields;
  readonly tensors: TensorFile;
  /** The GGUF file that all is in, where it is one. */
  readonly gguf?: GgufFile;
}

/**
 * Opens a checkpoint folder or a GGUF file.
 * @throws FormatError naming the file or key that is wrong; SourceError; AbortedError
 */
export async function openModelFiles(
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions = {},
): Promise<ModelFiles> {
  const place = locateGguf(from, options);
  if (place === undefined) {
    const checkpoint = await openCheckpoint(openSource(from, options), options);
    refusePackedElsewhere(checkpoint.config);
    return { family: familyOf(checkpoint.config), fields: new ConfigFields(checkpoint.config), tensors: checkpoint };
  }
  const source = openSource(place.from, options);
  const gguf = await openGguf(source, place.file, options);
  if (gguf === undefined) throw new FormatError(`${source.name}: ${place.file} is missing`);
  const config = ggufConfig(gguf, place.file);
  const family = familyOf(config);
  const owner = { what: place.file, error: (message: string) => new FormatError(message) };
  const fields = new ConfigFields(config, `${String(config["general.architecture"])}.`, owner);
  return { family, fields, tensors: gguf, gguf };
}
