import { FormatError } from "@statespace/core";

/** Elements of an IDX file: one of its six element types, in the byte order of the machine. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array as MNIST's files hold it. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: IdxData;
}

interface ElementType {
  readonly bytes: number;
  readonly make: (count: number) => IdxData;
  readonly read: (view: DataView, offset: number) => number;
}

const types: Readonly<Record<number, ElementType>> = {
  0x08: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  0x09: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  0x0b: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  0x0c: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  0x0d: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  0x0e: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};

/**
 * Reads an IDX file (big-endian, uncompressed).
 * Errors: `FormatError` for a wrong magic number, type or size; nothing is allocated before the size is checked.
 * Source: the format note on the MNIST page (LeCun, Cortes, Burges).
 */
export function parseIdx(bytes: Uint8Array, label: string = "idx"): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    throw new FormatError(`${label}: magic number must start with 0, 0`);
  const type = types[bytes[2]];
  if (!type) throw new FormatError(`${label}: unknown element type 0x${bytes[2].toString(16)}`);
  const rank = bytes[3];
  const header = 4 + 4 * rank;
  if (rank === 0 || bytes.length < header)
    throw new FormatError(`${label}: header of ${rank} dimensions does not fit in ${bytes.length} bytes`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  if (header + count * type.bytes !== bytes.length) {
    throw new FormatError(
      `${label}: shape [${shape.join(", ")}] asks for ${header + count * type.bytes} bytes, got ${bytes.length}`,
    );
  }
  const data = type.make(count);
  if (data instanceof Uint8Array) data.set(bytes.subarray(header));
  else for (let i = 0; i < count; i++) data[i] = type.read(view, header + i * type.bytes);
  return { shape, data };
}

/** Writes bytes as an IDX file of unsigned bytes. Errors: `FormatError` where shape and data disagree. */
export function formatIdx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length || shape.length === 0 || shape.length > 255) {
    throw new FormatError(`formatIdx: shape [${shape.join(", ")}] does not hold ${data.length} bytes`);
  }
  const bytes = new Uint8Array(4 + 4 * shape.length + count);
  const view = new DataView(bytes.buffer);
  bytes[2] = 0x08;
  bytes[3] = shape.length;
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}
