import { FormatError } from "@statespace/core";
import { impostor, IMPOSTOR_BYTES } from "../impostor.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { PlacedTensors } from "../tensors/placedTensors.ts";
import type { TensorFile } from "../tensors/tensorFile.ts";
import { LENGTH_BYTES, parseHeader, readHeaderLength } from "./safetensorsHeader.ts";

/** A safetensors file whose header is read and checked; `undefined` if the source has no such file. Errors: {@link FormatError}; {@link SourceError}. */
export async function openSafetensors(
  source: Source,
  file: string,
  options: ReadOptions = {},
): Promise<TensorFile | undefined> {
  const prefix = await source.read(file, { ...options, start: 0, end: LENGTH_BYTES });
  if (prefix === undefined) return undefined;
  const size = (await source.size(file, options)) ?? undefined;
  await refuseImpostor(source, file, prefix, options);
  const length = readHeaderLength(prefix, size, file);
  const json = await source.read(file, { ...options, start: LENGTH_BYTES, end: LENGTH_BYTES + length });
  if (json?.byteLength !== length)
    throw new FormatError(`${file}: truncated: the header is ${length} bytes long, got ${json?.byteLength ?? 0}`);
  const { dataStart, tensors, metadata } = parseHeader(json, size, file);
  const placed = Array.from(tensors.values(), ({ begin, end, ...tensor }) => ({
    ...tensor,
    begin: dataStart + begin,
    end: dataStart + end,
  }));
  return new PlacedTensors({ source, file, tensors: placed, metadata, padded: false });
}

/** A pointer or a page has no header; saying what it is helps more than saying what it lacks. */
async function refuseImpostor(source: Source, file: string, prefix: Uint8Array, options: ReadOptions): Promise<void> {
  // A header of 100 MB at most leaves its length's last bytes 0, which no text has.
  if (prefix.length < LENGTH_BYTES || prefix[LENGTH_BYTES - 1] === 0) return;
  const fault = impostor((await source.read(file, { ...options, start: 0, end: IMPOSTOR_BYTES })) ?? prefix);
  if (fault !== undefined) throw new FormatError(`${file}: ${fault}`);
}
