import { ArgumentError } from "@statespace/core";
import { quote } from "../strictJson.ts";
import { storedBytesOf } from "../tensors/blockTypes.ts";
import { chunksOf, type FileSection } from "../sources/fileSection.ts";
import { readParts, type LazyTensor, type OwnBytes } from "../tensors/lazyTensor.ts";
import { DEFAULT_ALIGNMENT, TENSOR_TYPES, VALUE_BYTES, VALUE_TYPES, type GgufValueType } from "./ggufTypes.ts";
import { GgufStrings, type GgufScalar, type GgufValue } from "./ggufValues.ts";

/** How a GGUF file is laid out. */
export interface GgufWriteOptions {
  /** What the place of each tensor is a multiple of, in bytes: a power of two. Default 32. */
  readonly alignment?: number;
}

/** A GGUF file laid out: its length is known before a tensor is asked for. */
export interface GgufLayout {
  readonly byteLength: number;
  /** The header, then the tensors' parts, each when it is its turn, with what fills the space between. */
  chunks(): Generator<OwnBytes | Promise<OwnBytes>, void, undefined>;
  /** The same cut where each tensor begins. */
  readonly sections: readonly FileSection<OwnBytes | Promise<OwnBytes>>[];
}

const MAGIC_AND_VERSION = Uint8Array.of(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0);
/** ggml has room for no longer name. */
const LONGEST_NAME = 63;

/**
 * Lays a GGUF file (version 3) out: metadata in the order that is given, tensors too.
 * Errors: {@link ArgumentError} for a type, a name or an alignment that the format has not; {@link FormatError} for rows that are no whole blocks.
 */
export function layoutGguf(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: ReadonlyMap<string, LazyTensor>,
  { alignment = DEFAULT_ALIGNMENT }: GgufWriteOptions = {},
): GgufLayout {
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 8)
    throw new ArgumentError(`layoutGguf: alignment must be a power of two, 8 or more, got ${alignment}`);
  const all = new Map(metadata);
  if (alignment !== DEFAULT_ALIGNMENT) all.set("general.alignment", { type: "uint32", value: alignment });
  const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  let position = 0;
  const placed = Array.from(tensors, ([name, tensor]) => {
    const byteLength = storedBytesOf(tensor.dtype, tensor.shape, `gguf: tensor ${quote(name)}`);
    const offset = position;
    position = aligned(offset + byteLength);
    return { name, tensor, byteLength, offset };
  });
  const header = new Bytes();
  header.add(MAGIC_AND_VERSION);
  header.uint64(placed.length);
  header.uint64(all.size);
  for (const [key, value] of all) writeValue(header, key, value);
  for (const { name, tensor, offset } of placed) writeInfo(header, name, tensor, offset);
  const headerLength = aligned(header.length);
  const sections: FileSection<OwnBytes | Promise<OwnBytes>>[] = [
    { name: "header", start: 0, byteLength: headerLength, chunks: () => [header.filledUpTo(headerLength)] },
    ...placed.map(({ name, tensor, byteLength, offset }) => ({
      name,
      start: headerLength + offset,
      byteLength: aligned(byteLength),
      *chunks(): Generator<OwnBytes | Promise<OwnBytes>, void, undefined> {
        yield* readParts(tensor, byteLength, `gguf: tensor ${quote(name)}`);
        const gap = aligned(byteLength) - byteLength;
        if (gap > 0) yield new Uint8Array(gap);
      },
    })),
  ];
  return { byteLength: headerLength + position, sections, chunks: () => chunksOf(sections) };
}

function writeInfo(header: Bytes, name: string, { dtype, shape }: LazyTensor, offset: number): void {
  const bytes = new TextEncoder().encode(name).byteLength;
  if (bytes === 0 || bytes > LONGEST_NAME)
    throw new ArgumentError(`gguf: name of a tensor must have 1 to ${LONGEST_NAME} bytes, got ${quote(name)}`);
  const type = [...TENSOR_TYPES].find(([, known]) => known === dtype)?.[0];
  if (type === undefined) throw new ArgumentError(`gguf: tensor ${quote(name)}: the format has no type ${dtype}`);
  if (shape.length > 4) throw new ArgumentError(`gguf: tensor ${quote(name)} must have at most 4 axes`);
  header.text(name);
  header.uint32(shape.length);
  for (const size of shape.toReversed()) header.uint64(size);
  header.uint32(type);
  header.uint64(offset);
}

function writeValue(header: Bytes, key: string, value: GgufValue): void {
  header.text(key);
  header.uint32(VALUE_TYPES.indexOf(value.type));
  if (value.type !== "array") return writeScalar(header, key, value.type, value.value);
  header.uint32(VALUE_TYPES.indexOf(value.items));
  header.uint64(value.value.length);
  if (value.value instanceof GgufStrings) header.add(value.value.bytes);
  else header.add(new Uint8Array(value.value.buffer, value.value.byteOffset, value.value.byteLength));
}

function writeScalar(header: Bytes, key: string, type: Exclude<GgufValueType, "array">, value: GgufScalar): void {
  if (type === "string") return header.text(String(value));
  const view = new DataView(new ArrayBuffer(VALUE_BYTES[type]));
  const whole = (): number => {
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw new ArgumentError(`gguf: ${quote(key)} must be a whole number, got ${String(value)}`);
  };
  const set: Record<keyof typeof VALUE_BYTES, () => void> = {
    uint8: () => view.setUint8(0, whole()),
    int8: () => view.setInt8(0, whole()),
    uint16: () => view.setUint16(0, whole(), true),
    int16: () => view.setInt16(0, whole(), true),
    uint32: () => view.setUint32(0, whole(), true),
    int32: () => view.setInt32(0, whole(), true),
    float32: () => view.setFloat32(0, Number(value), true),
    bool: () => view.setUint8(0, value === true ? 1 : 0),
    uint64: () => view.setBigUint64(0, BigInt(value), true),
    int64: () => view.setBigInt64(0, BigInt(value), true),
    float64: () => view.setFloat64(0, Number(value), true),
  };
  set[type]();
  header.add(new Uint8Array(view.buffer));
}

/** Bytes one after the other. */
class Bytes {
  length = 0;
  readonly #parts: Uint8Array[] = [];

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.byteLength;
  }

  uint32(value: number): void {
    this.add(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number): void {
    this.add(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint64(bytes.byteLength);
    this.add(bytes);
  }

  /** All of them, and zeros up to a length. */
  filledUpTo(length: number): OwnBytes {
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }
}
