import { FormatError } from "@statespace/core";
import { DTYPE_BYTES, elementCount, isElementType, type ElementType } from "../tensors/dtype.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJsonBytes, quote } from "../strictJson.ts";

/** Where a tensor lies; `begin` and `end` are byte offsets into the data section, which starts at {@link SafetensorsHeader.dataStart}. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the data section. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Byte offset of the data section in the file: 8 + the header's length. */
  readonly dataStart: number;
  /** Bytes of the data section that the tensors account for. */
  readonly dataLength: number;
}

/** The official library refuses longer headers too; a lying length must not make us allocate gigabytes. */
const MAX_HEADER_BYTES = 100_000_000;

/** First 8 bytes of every file: the header's length, unsigned 64-bit little-endian. */
export const LENGTH_BYTES = 8;

/**
 * The header's length from the first 8 bytes of a file.
 * Errors: {@link FormatError} if fewer bytes are there, or the length is below 2, above 100 MB, or past the end of a file of `fileSize` bytes.
 */
export function readHeaderLength(prefix: Uint8Array, fileSize: number | undefined, file: string): number {
  if (prefix.byteLength < LENGTH_BYTES)
    throw new FormatError(`${file}: truncated: a safetensors file has at least 8 bytes, got ${prefix.byteLength}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length < 2n || length > BigInt(MAX_HEADER_BYTES)) {
    throw new FormatError(`${file}: header length must be in 2..${MAX_HEADER_BYTES} bytes, got ${length}`);
  }
  if (fileSize !== undefined && LENGTH_BYTES + Number(length) > fileSize) {
    throw new FormatError(`${file}: truncated: the header is ${length} bytes long, but the file only ${fileSize}`);
  }
  return Number(length);
}

/**
 * Parses and checks the JSON header (without the 8 length bytes).
 * The tensors must cover the data section from its first byte to its last, without overlap or hole; `fileSize`, where known, must be what they add up to.
 * Errors: {@link FormatError} naming the tensor.
 * Source: the format description of the safetensors project. Departure: duplicate keys, which it leaves to the parser, are errors.
 */
export function parseHeader(json: Uint8Array, fileSize: number | undefined, file: string): SafetensorsHeader {
  if (json[0] !== 0x7b) throw new FormatError(`${file}: the header must begin with "{"`);
  const root = parseStrictJsonBytes(json, { what: `${file}: header`, maxDepth: 8 });
  if (!isJsonObject(root)) throw new FormatError(`${file}: the header must be a JSON object`);
  const infos: TensorInfo[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const name of Object.keys(root)) {
    if (name === "__metadata__") metadata = parseMetadata(root[name], file);
    else infos.push(parseInfo(name, root[name], file));
  }
  const dataStart = LENGTH_BYTES + json.byteLength;
  const dataLength = checkCoverage(infos, file);
  if (fileSize !== undefined && dataStart + dataLength !== fileSize) {
    const fault = dataStart + dataLength > fileSize ? "truncated" : "bytes after the last tensor";
    throw new FormatError(
      `${file}: ${fault}: header and tensors take ${dataStart + dataLength} bytes, the file has ${fileSize}`,
    );
  }
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata, dataStart, dataLength };
}

function parseMetadata(value: JsonValue, file: string): ReadonlyMap<string, string> {
  if (!isJsonObject(value)) throw new FormatError(`${file}: __metadata__ must be an object of strings`);
  const metadata = new Map<string, string>();
  for (const key of Object.keys(value)) {
    const text = value[key];
    if (typeof text !== "string") throw new FormatError(`${file}: __metadata__ entry ${quote(key)} must be a string`);
    metadata.set(key, text);
  }
  return metadata;
}

function parseInfo(name: string, value: JsonValue, file: string): TensorInfo {
  const what = `${file}: tensor ${quote(name)}`;
  if (!isJsonObject(value)) throw new FormatError(`${what}: must be an object with dtype, shape and data_offsets`);
  const { dtype } = value;
  if (typeof dtype !== "string") throw new FormatError(`${what}: dtype must be a string`);
  if (!isElementType(dtype))
    throw new FormatError(`${what}: dtype ${quote(dtype)} is not one of ${Object.keys(DTYPE_BYTES).join(", ")}`);
  const shape = wholeNumbers(value, "shape", what);
  if (shape.length > 16) throw new FormatError(`${what}: shape must have at most 16 axes, got ${shape.length}`);
  const offsets = wholeNumbers(value, "data_offsets", what);
  if (offsets.length !== 2)
    throw new FormatError(`${what}: data_offsets must be [begin, end], got ${offsets.length} numbers`);
  const [begin, end] = offsets;
  if (begin > end) throw new FormatError(`${what}: data_offsets must not run backwards, got [${begin}, ${end}]`);
  const count = elementCount(shape, what);
  if (count > Number.MAX_SAFE_INTEGER / 8)
    throw new FormatError(`${what}: shape [${shape.join(", ")}] has too many elements`);
  const bytes = count * DTYPE_BYTES[dtype];
  if (end - begin !== bytes) {
    throw new FormatError(
      `${what}: shape [${shape.join(", ")}] of ${dtype} takes ${bytes} bytes, data_offsets [${begin}, ${end}] span ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function wholeNumbers(object: JsonObject, key: string, what: string): number[] {
  const value = object[key];
  if (!Array.isArray(value)) throw new FormatError(`${what}: ${key} must be a list of whole numbers`);
  return value.map((item) => {
    if (typeof item !== "number" || !Number.isSafeInteger(item) || item < 0 || Object.is(item, -0)) {
      throw new FormatError(`${what}: ${key} must hold whole numbers >= 0`);
    }
    return item;
  });
}

/** Sorts by position, checks that the tensors tile the data section, and returns its length. */
function checkCoverage(infos: TensorInfo[], file: string): number {
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of infos) {
    if (begin < position)
      throw new FormatError(
        `${file}: tensor ${quote(name)} overlaps the one before it: begins at ${begin}, which ends at ${position}`,
      );
    if (begin > position)
      throw new FormatError(`${file}: hole of ${begin - position} bytes before tensor ${quote(name)}`);
    position = end;
  }
  return position;
}
