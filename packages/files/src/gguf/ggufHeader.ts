import { FormatError } from "@statespace/core";
import { quote } from "../strictJson.ts";
import { storedBytesOf, type StoredType } from "../tensors/blockTypes.ts";
import { GgufCursor } from "./ggufCursor.ts";
import { DEFAULT_ALIGNMENT, OTHER_TENSOR_TYPES, TENSOR_TYPES } from "./ggufTypes.ts";
import type { GgufValue } from "./ggufValues.ts";

const MAGIC = 0x46554747;
const MAX_AXES = 4;
const MAX_NAME_BYTES = 1024;

/** A tensor's place. `begin` and `end` count bytes from the beginning of the file. */
export interface GgufTensor {
  readonly name: string;
  readonly dtype: StoredType;
  /** Slowest axis first, as everywhere here; the file has them the other way round. */
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a GGUF file says of itself. */
export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Reads a header (GGUF versions 2 and 3) from the beginning of a file.
 * Errors: {@link FormatError} naming the key or the tensor; `NeedMoreBytes` where the bytes end before the header does.
 * @param size of the whole file
 */
export function parseGgufHeader(prefix: Uint8Array, size: number, file: string): GgufHeader {
  const cursor = new GgufCursor(prefix, size, file);
  if (cursor.uint32("magic") !== MAGIC) throw new FormatError(`${file}: is no GGUF file: it must begin with "GGUF"`);
  const version = cursor.uint32("version");
  if (version !== 2 && version !== 3)
    throw new FormatError(`${file}: version must be 2 or 3, got ${versionText(version)}`);
  const tensorCount = cursor.count("tensor count", 24);
  const valueCount = cursor.count("metadata count", 13);
  const metadata = readMetadata(cursor, valueCount, file);
  const infos = readInfos(cursor, tensorCount, file);
  const alignment = alignmentOf(metadata, file);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { version, metadata, tensors: place(infos, { dataStart, alignment, size, file }) };
}

function versionText(version: number): string {
  const swapped = version % 2 ** 24 === 0 && version > 0;
  if (swapped) return `${version / 2 ** 24} in big-endian order, which is not read`;
  return version === 1 ? "1 (write the file again with a newer llama.cpp)" : String(version);
}

function readMetadata(cursor: GgufCursor, count: number, file: string): ReadonlyMap<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.name(`key ${i}`, 65535);
    if (metadata.has(key)) throw new FormatError(`${file}: key ${quote(key)} appears twice`);
    metadata.set(key, cursor.value(quote(key)));
  }
  return metadata;
}

interface TensorInfo {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly offset: number;
}

function readInfos(cursor: GgufCursor, count: number, file: string): readonly TensorInfo[] {
  const infos = new Map<string, TensorInfo>();
  for (let i = 0; i < count; i++) {
    const name = cursor.name(`name of tensor ${i}`, MAX_NAME_BYTES);
    const what = `tensor ${quote(name)}`;
    if (infos.has(name)) throw new FormatError(`${file}: ${what} appears twice`);
    const axes = cursor.uint32(`axes of ${what}`);
    if (axes > MAX_AXES) throw new FormatError(`${file}: ${what} must have at most ${MAX_AXES} axes, got ${axes}`);
    const shape = Array.from({ length: axes }, () => cursor.size(`shape of ${what}`)).reverse();
    const dtype = tensorType(cursor.uint32(`type of ${what}`), `${file}: ${what}`);
    const offset = cursor.size(`offset of ${what}`);
    const byteLength = storedBytesOf(dtype, shape, `${file}: ${what}`);
    infos.set(name, { name, dtype, shape, byteLength, offset });
  }
  return [...infos.values()];
}

function tensorType(number: number, what: string): StoredType {
  const type = TENSOR_TYPES.get(number);
  if (type !== undefined) return type;
  const known = [...TENSOR_TYPES.values()].join(", ");
  throw new FormatError(`${what}: type ${OTHER_TENSOR_TYPES.get(number) ?? number} is not read; ${known} are`);
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>, file: string): number {
  const found = metadata.get("general.alignment");
  const alignment = found === undefined ? DEFAULT_ALIGNMENT : found.value;
  if (typeof alignment === "number" && alignment >= 1 && alignment <= 2 ** 20 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw new FormatError(`${file}: "general.alignment" must be a power of two up to 2^20`);
}

/** Every tensor lies in the file, at a multiple of the alignment, and none on another. */
function place(
  infos: readonly TensorInfo[],
  { dataStart, alignment, size, file }: { dataStart: number; alignment: number; size: number; file: string },
): ReadonlyMap<string, GgufTensor> {
  const tensors = infos.map(({ name, dtype, shape, byteLength, offset }) => {
    const what = `${file}: tensor ${quote(name)}`;
    if (offset % alignment !== 0)
      throw new FormatError(`${what}: offset must be a multiple of ${alignment}, got ${offset}`);
    const begin = dataStart + offset;
    const end = begin + byteLength;
    if (end > size)
      throw new FormatError(`${what}: ends at byte ${end}, beyond the end of the file at ${size}: it is truncated`);
    return { name, dtype, shape, begin, end };
  });
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (let i = 1; i < tensors.length; i++)
    if (tensors[i].begin < tensors[i - 1].end)
      throw new FormatError(`${file}: tensors ${quote(tensors[i - 1].name)} and ${quote(tensors[i].name)} overlap`);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}
