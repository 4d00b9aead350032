import { FormatError, type PackedFormat, type Parameter } from "@statespace/core";
import { type WeightWriter } from "@statespace/core/backend";
import {
  blockOf,
  isBlockType,
  quote,
  toFloat32Array,
  type StoredType,
  type TensorEntry,
  type TensorPiece,
} from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { PublishedTensor, ValueForm } from "./weightNames.ts";

/** Elements that are converted at once. */
const BLOCK = 1 << 18;
/** Bytes written to a device before it is waited for: those are there twice. */
const AHEAD = 16 << 20;

/** Types of files whose bytes are those of a packed format. */
export const PACKED_AS: Readonly<Partial<Record<StoredType, PackedFormat>>> = {
  F16: "f16",
  BF16: "bf16",
  Q8_0: "q8",
  Q4_0: "q4",
};

/**
 * How weights are kept that a file has in blocks, unless told: in the same blocks where those are a packed format, else as q8, which is
 * closer to them than they are to the weights they were made of.
 */
export function formatsOfFile(
  matched: ReadonlyMap<string, PublishedTensor>,
  entries: ReadonlyMap<string, TensorEntry>,
): (parameter: Parameter) => PackedFormat | undefined {
  const types = new Map<Parameter, Set<StoredType>>();
  for (const [key, { parameter }] of matched)
    types.set(parameter, (types.get(parameter) ?? new Set()).add(entries.get(key)!.dtype));
  return (parameter) => {
    const all = [...types.get(parameter)!];
    if (!all.some(isBlockType)) return undefined;
    return (all.length === 1 ? PACKED_AS[all[0]!] : undefined) ?? "q8";
  };
}

/** @throws FormatError where a row is no whole number of the type's blocks */
function bytesOfRow(dtype: StoredType, k: number, key: string): number {
  const block = blockOf(dtype);
  if (k % block.elements !== 0)
    throw new FormatError(`tensor ${quote(key)}: rows of ${k} elements cannot be stored as ${dtype}`);
  return (k / block.elements) * block.bytes;
}

/** Rows of one tensor of a file that wait to be whole, to be converted and packed together. */
interface Arriving {
  readonly key: string;
  readonly dtype: StoredType;
  readonly bytesLeft: { count: number };
  readonly parameter: Parameter;
  readonly writer: WeightWriter;
  /** Where its rows go: rows of the file, in order, to rows of the weight. */
  readonly places: readonly (readonly [row: number, count: number])[];
  /** Where the file's values are not ours. */
  readonly form: ValueForm | undefined;
  readonly block: Uint8Array;
  filled: number;
  /** Rows before those in the block. */
  row: number;
}

/**
 * Puts the tensors of a file into a model as their bytes come: from the type of the file through a block of rows to the form in which
 * they are kept, on their device. What was taken and is not whole is given up by `dispose`.
 */
export class WeightLoader {
  readonly #model: Model;
  readonly #matched: ReadonlyMap<string, PublishedTensor>;
  readonly #entries: ReadonlyMap<string, TensorEntry>;
  readonly #formatOf: (parameter: Parameter) => PackedFormat | undefined;
  /** Weights of which not all rows have come. */
  readonly #writers: Map<Parameter, WeightWriter> = new Map();
  readonly #missing: Set<string>;
  #arriving: Arriving | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #floats: Float32Array = new Float32Array(0);
  #ahead = 0;

  constructor(
    model: Model,
    matched: ReadonlyMap<string, PublishedTensor>,
    entries: ReadonlyMap<string, TensorEntry>,
    formatOf: (parameter: Parameter) => PackedFormat | undefined = () => undefined,
  ) {
    this.#model = model;
    this.#matched = matched;
    this.#entries = entries;
    this.#formatOf = formatOf;
    this.#missing = new Set(matched.keys());
  }

  /** Takes bytes; those of a tensor come in order, one tensor after the other. */
  async take({ name, begin, bytes }: TensorPiece): Promise<void> {
    const target = this.#matched.get(name);
    if (target === undefined) return;
    if (begin === 0) this.#arriving = this.#begin(name, target);
    const arriving = this.#arriving!;
    for (let at = 0; at < bytes.byteLength;) {
      const part = bytes.subarray(at, at + arriving.block.byteLength - arriving.filled);
      arriving.block.set(part, arriving.filled);
      arriving.filled += part.byteLength;
      arriving.bytesLeft.count -= part.byteLength;
      at += part.byteLength;
      if (arriving.filled === arriving.block.byteLength || arriving.bytesLeft.count === 0) this.#put(arriving);
    }
    if (arriving.bytesLeft.count === 0) this.#end(arriving);
    this.#ahead += bytes.byteLength;
    if (this.#ahead < AHEAD) return;
    this.#ahead = 0;
    await this.#model.backend.finish();
  }

  #begin(key: string, { parameter, rows, form }: PublishedTensor): Arriving {
    const { dtype, byteLength } = this.#entries.get(key)!;
    const writer = this.#writers.get(parameter) ?? this.#model.writer(parameter, this.#formatOf(parameter));
    this.#writers.set(parameter, writer);
    const rowBytes = bytesOfRow(dtype, writer.k, key);
    const height = Math.max(4, 4 * Math.floor(BLOCK / (4 * writer.k)));
    const blockBytes = Math.max(1, Math.min(byteLength, height * rowBytes));
    if (this.#bytes.byteLength < blockBytes) this.#bytes = new Uint8Array(blockBytes);
    const block = this.#bytes.subarray(0, blockBytes);
    return {
      key,
      dtype,
      bytesLeft: { count: byteLength },
      parameter,
      writer,
      places: rows,
      form,
      block,
      filled: 0,
      row: 0,
    };
  }

  /** Writes the rows of the block. */
  #put(arriving: Arriving): void {
    const { dtype, writer, places, form, block, filled, row } = arriving;
    const bytes = block.subarray(0, filled);
    const rowBytes = bytesOfRow(dtype, writer.k, arriving.key);
    const count = filled / rowBytes;
    const asTheyAre = PACKED_AS[dtype] === writer.format && form === undefined;
    const floats = asTheyAre ? undefined : this.#toFloats(dtype, bytes);
    if (floats !== undefined) form?.fromFile(floats, { row, k: writer.k });
    let start = 0; // row of the file at which a place begins
    for (const [to, height] of places) {
      const [a, b] = [Math.max(row, start), Math.min(row + count, start + height)];
      const [from, until] = [a - row, b - row];
      if (a < b) {
        if (floats === undefined) writer.writePacked(to + a - start, bytes.subarray(rowBytes * from, rowBytes * until));
        else writer.write(to + a - start, floats.subarray(writer.k * from, writer.k * until));
      }
      start += height;
    }
    arriving.row += count;
    arriving.filled = 0;
  }

  #toFloats(dtype: StoredType, bytes: Uint8Array): Float32Array {
    const block = blockOf(dtype);
    const length = (bytes.byteLength / block.bytes) * block.elements;
    if (dtype === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, length);
    if (this.#floats.length < length) this.#floats = new Float32Array(length);
    return toFloat32Array({ dtype, shape: [length], bytes }, this.#floats);
  }

  #end({ key, parameter, writer }: Arriving): void {
    this.#arriving = undefined;
    this.#missing.delete(key);
    if (!writer.complete) return;
    this.#writers.delete(parameter);
    this.#model.settle(parameter, writer);
  }

  /** @throws FormatError for a tensor that did not come. */
  finish(): void {
    const [first] = this.#missing;
    if (first !== undefined) throw new FormatError(`tensor ${quote(first)} is missing`);
  }

  dispose(): void {
    for (const writer of this.#writers.values()) writer.dispose();
    this.#writers.clear();
  }
}
