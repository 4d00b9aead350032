import { ArgumentError, ShapeError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { fromFloat32Array, type RawTensor } from "../tensors/convert.ts";
import { DTYPE_BYTES, elementCount, isElementType, type ElementType, type FloatStorage } from "../tensors/dtype.ts";
import { quote } from "../strictJson.ts";
import { chunksOf, type FileSection } from "../sources/fileSection.ts";
import { readParts, unshared, type LazyTensor, type OwnBytes } from "../tensors/lazyTensor.ts";

/** Float32 weights, stored in the float type that the writer is asked for. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A tensor to be written: float32 values to convert, or bytes as they are. */
export type WritableTensor = FloatTensor | RawTensor;

/** How tensors are written to a safetensors file. */
export interface SafetensorsWriteOptions {
  /** How {@link FloatTensor}s are stored; "F32" unless told. Raw tensors keep their own type. */
  readonly dtype?: FloatStorage;
  /** Free text entries. Hugging Face refuses weights whose `format` entry is missing, so that is "pt" unless told. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A file laid out, not yet converted: the byte length is known before the first chunk is made. */
export interface SafetensorsLayout<Chunk = OwnBytes> {
  readonly byteLength: number;
  /** Length prefix and header, then one chunk per tensor, converted only when it is asked for. */
  chunks(): Generator<Chunk, void, undefined>;
  /** The same cut where each tensor begins. */
  readonly sections: readonly FileSection<Chunk>[];
}

/**
 * Lays a safetensors file out as the official library does: wider types first, names in order within a type, so that every tensor begins at a multiple of its
 * element size; the header is padded with spaces to a multiple of 8 bytes.
 * Errors: {@link ShapeError} if a tensor's length does not fit its shape; {@link ArgumentError} for a name the format reserves.
 */
export function layoutSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  options?: SafetensorsWriteOptions,
): SafetensorsLayout;
/** As above; chunks of tensors that are still to be read are promises. */
export function layoutSafetensors(
  tensors: ReadonlyMap<string, WritableTensor | LazyTensor>,
  options?: SafetensorsWriteOptions,
): SafetensorsLayout<OwnBytes | Promise<OwnBytes>>;
export function layoutSafetensors(
  tensors: ReadonlyMap<string, WritableTensor | LazyTensor>,
  options: SafetensorsWriteOptions = {},
): SafetensorsLayout<OwnBytes | Promise<OwnBytes>> {
  refuseUnknown("layoutSafetensors", options, ["dtype", "metadata"], { format: "dtype", torchDtype: "dtype" });
  const floatType = options.dtype ?? "F32";
  const order = [...tensors].map(([name, tensor]) => ({ name, tensor, ...plan(name, tensor, floatType) }));
  order.sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1));
  const header: [string, unknown][] = [["__metadata__", { format: "pt", ...options.metadata }]];
  let position = 0;
  for (const { name, dtype, byteLength, tensor } of order) {
    header.push([name, { dtype, shape: [...tensor.shape], data_offsets: [position, position + byteLength] }]);
    position += byteLength;
  }
  const prefix = encodeHeader(header);
  let start = prefix.byteLength;
  const sections: FileSection<OwnBytes | Promise<OwnBytes>>[] = [
    { name: "header", start: 0, byteLength: start, chunks: () => [prefix] },
    ...order.map(({ name, tensor, byteLength }) => {
      start += byteLength;
      return {
        name,
        start: start - byteLength,
        byteLength,
        *chunks(): Generator<OwnBytes | Promise<OwnBytes>, void, undefined> {
          if ("read" in tensor) return yield* readParts(tensor, byteLength, `safetensors: tensor ${quote(name)}`);
          const bytes = "values" in tensor ? fromFloat32Array(tensor.values, floatType) : tensor.bytes;
          if (bytes.byteLength > 0) yield unshared(bytes);
        },
      };
    }),
  ];
  return { byteLength: prefix.byteLength + position, sections, chunks: () => chunksOf(sections) };
}

/** A safetensors file as one array. Errors as {@link layoutSafetensors}. */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  options: SafetensorsWriteOptions = {},
): OwnBytes {
  const layout = layoutSafetensors(tensors, options);
  const file = new Uint8Array(layout.byteLength);
  let position = 0;
  for (const chunk of layout.chunks()) {
    file.set(chunk, position);
    position += chunk.byteLength;
  }
  return file;
}

/** A safetensors file as a Blob, for a download link in a page. Errors as {@link layoutSafetensors}. */
export function safetensorsBlob(
  tensors: ReadonlyMap<string, WritableTensor>,
  options: SafetensorsWriteOptions = {},
): Blob {
  return new Blob([...layoutSafetensors(tensors, options).chunks()], { type: "application/octet-stream" });
}

function plan(
  name: string,
  tensor: WritableTensor | LazyTensor,
  floatType: FloatStorage,
): { dtype: ElementType; byteLength: number } {
  if (name === "__metadata__") throw new ArgumentError("safetensors: a tensor cannot be named __metadata__");
  const what = `safetensors: tensor ${quote(name)}`;
  const dtype = "values" in tensor ? floatType : tensor.dtype;
  if (!isElementType(dtype)) throw new ArgumentError(`${what}: the format has no type ${dtype}; give its values`);
  const count = elementCount(tensor.shape, what);
  if ("read" in tensor) return { dtype, byteLength: count * DTYPE_BYTES[dtype] };
  const actual = "values" in tensor ? tensor.values.length : tensor.bytes.byteLength / DTYPE_BYTES[dtype];
  if (actual !== count)
    throw new ShapeError(`${what}: shape [${tensor.shape.join(", ")}] has ${count} elements, got ${actual}`);
  return { dtype, byteLength: count * DTYPE_BYTES[dtype] };
}

function encodeHeader(entries: readonly (readonly [string, unknown])[]): OwnBytes {
  // Written entry by entry: an object literal would reorder numeric names and lose one called __proto__.
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / 8) * 8;
  const prefix = new Uint8Array(8 + length).fill(0x20);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(length), true);
  prefix.set(text, 8);
  return prefix;
}
