import { FormatError } from "@statespace/core";
import { impostor } from "../impostor.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import { PlacedTensors } from "../tensors/placedTensors.ts";
import { ShardedFile } from "../tensors/shardedFile.ts";
import type { TensorFile } from "../tensors/tensorFile.ts";
import { NeedMoreBytes } from "./ggufCursor.ts";
import { parseGgufHeader, type GgufHeader } from "./ggufHeader.ts";
import type { GgufValue } from "./ggufValues.ts";

/** What is read of a file first; a vocabulary makes the header longer, and then more is read. */
const FIRST_BYTES = 1 << 20;
/** No vocabulary comes near this; what claims more is an attack. */
const MAX_HEADER_BYTES = 256 << 20;

/** Tensors and metadata of a GGUF file, or of all files of a split one. */
export interface GgufFile extends TensorFile {
  /** The metadata of the (first) file, with its types. */
  readonly values: ReadonlyMap<string, GgufValue>;
}

/**
 * A GGUF file (versions 2 and 3) whose header is read and checked, with those it was split into (`name-00001-of-00003.gguf`); `undefined` if the source
 * has no such file. Reads ranges; no tensor is read.
 * Errors: {@link FormatError} naming the key or tensor that is wrong, or the part that is missing; {@link SourceError}; {@link AbortedError}.
 */
export async function openGguf(source: Source, file: string, options: ReadOptions = {}): Promise<GgufFile | undefined> {
  const header = await readHeader(source, file, options);
  if (header === undefined) return undefined;
  const first = new Gguf(source, file, header);
  const count = splitNumber(header, "split.count", file);
  if (count <= 1) return first;
  const [, stem, no, of] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(file) ?? [];
  if (stem === undefined || Number(of) !== count)
    throw new FormatError(`${file}: is one of ${count} parts, so its name must end with -00001-of-${five(count)}.gguf`);
  if (Number(no) !== 1)
    throw new FormatError(`${file}: is part ${Number(no)} of ${count}; open ${stem}-00001-of-${of}.gguf`);
  const parts: Gguf[] = [first];
  for (let part = 2; part <= count; part++) {
    const name = `${stem}-${five(part)}-of-${of}.gguf`;
    const other = await readHeader(source, name, options);
    if (other === undefined) throw new FormatError(`${source.name}: part ${quote(name)} of ${quote(file)} is missing`);
    if (splitNumber(other, "split.no", name) !== part - 1 || splitNumber(other, "split.count", name) !== count)
      throw new FormatError(`${name}: "split.no" and "split.count" must be ${part - 1} and ${count}`);
    parts.push(new Gguf(source, name, other));
  }
  return Object.assign(new ShardedFile(source.name, distinct(parts)), { values: header.metadata });
}

const five = (part: number): string => String(part).padStart(5, "0");

function splitNumber({ metadata }: GgufHeader, key: string, file: string): number {
  const value = metadata.get(key)?.value ?? 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65535) return value;
  throw new FormatError(`${file}: ${quote(key)} must be a whole number up to 65535`);
}

/** @throws FormatError where two parts have tensors of one name */
function distinct(parts: readonly Gguf[]): readonly Gguf[] {
  const owners = new Map<string, string>();
  for (const { entries } of parts)
    for (const [name, { file }] of entries) {
      const other = owners.get(name);
      if (other !== undefined) throw new FormatError(`${file}: tensor ${quote(name)} is in ${other} too`);
      owners.set(name, file);
    }
  return parts;
}

async function readHeader(source: Source, file: string, options: ReadOptions): Promise<GgufHeader | undefined> {
  const { signal } = options;
  let prefix = await source.read(file, { signal, start: 0, end: FIRST_BYTES });
  if (prefix === undefined) return undefined;
  const fault = impostor(prefix);
  if (fault !== undefined) throw new FormatError(`${file}: ${fault}`);
  const size = await source.size(file, options);
  if (typeof size !== "number") throw new FormatError(`${file}: ${source.name} does not tell its size`);
  for (;;) {
    try {
      return parseGgufHeader(prefix, size, file);
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
      if (error.bytes > MAX_HEADER_BYTES)
        throw new FormatError(
          `${file}: the header must be at most ${MAX_HEADER_BYTES} bytes, it goes on to ${error.bytes}`,
        );
      const end = Math.min(size, MAX_HEADER_BYTES, Math.max(error.bytes, 4 * prefix.byteLength));
      const longer = await source.read(file, { signal, start: 0, end });
      if (longer === undefined || longer.byteLength < error.bytes)
        throw new FormatError(`${file}: truncated: the header goes on behind byte ${longer?.byteLength ?? 0}`);
      prefix = longer;
    }
  }
}

class Gguf extends PlacedTensors implements GgufFile {
  readonly values: ReadonlyMap<string, GgufValue>;

  constructor(source: Source, file: string, { tensors, metadata: values }: GgufHeader) {
    const texts = [...values].filter(([, { type }]) => type === "string");
    const metadata = new Map(texts.map(([key, { value }]) => [key, value as string]));
    super({ source, file, tensors: tensors.values(), metadata, padded: true });
    this.values = values;
  }
}
