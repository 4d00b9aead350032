import { FormatError } from "@statespace/core";
import { impostor } from "../impostor.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { isJsonObject, type JsonObject, parseStrictJsonBytes, quote } from "../strictJson.ts";

/** No config or index of a real model comes near this; a larger one is an attack or another file. */
const MAX_JSON_BYTES = 64 << 20;

/** How a JSON file is read. */
export interface ReadJsonOptions extends ReadOptions {
  /** Told of each key that an object has twice, in a line; a warning on the console unless told. */
  readonly notice?: ((line: string) => void) | undefined;
}

/**
 * A JSON object file of a checkpoint; `undefined` if it is not there. A key that an object has twice, with two values, is an error only for who asks for it.
 * Errors: {@link FormatError} if it is not a JSON object.
 */
export async function readJson(
  source: Source,
  file: string,
  options: ReadJsonOptions = {},
): Promise<JsonObject | undefined> {
  const bytes = await source.read(file, { signal: options.signal, end: MAX_JSON_BYTES + 1 });
  if (bytes === undefined) return undefined;
  if (bytes.byteLength > MAX_JSON_BYTES) throw new FormatError(`${file}: must be at most ${MAX_JSON_BYTES} bytes`);
  const fault = impostor(bytes);
  if (fault !== undefined) throw new FormatError(`${file}: not valid JSON: ${fault}`);
  const { notice = (line: string): void => console.warn(line) } = options;
  const repeated = (key: string): void => notice(`${file}: key ${quote(key)} appears twice`);
  const value = parseStrictJsonBytes(bytes, { what: file, nonFinite: true, repeated });
  if (!isJsonObject(value)) throw new FormatError(`${file}: must be a JSON object`);
  return value;
}
