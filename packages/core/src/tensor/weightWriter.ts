import { chosenBackend } from "../backend/current.ts";
import { rowLength } from "../backend/backend.ts";
import { packBytes, packRows } from "../backend/packing.ts";
import type { AnyBackend } from "../backend/registry.ts";
import type { TensorInfo, WeightFormat } from "../backend/types.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { enterCapture } from "./capturing.ts";
import { sizeOfShape, wrapPacked, type PlaceOptions } from "./create.ts";
import { wrap } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

/** Bytes of rows that are packed at once. */
const PACKED_AT_ONCE = 1 << 20;

/** Rows that a backend arranges together and of which not all have come. */
interface Pending {
  readonly rows: Uint8Array;
  missing: number;
}

/**
 * A weight that comes row by row, in any order, and goes straight to where it is kept: beside it there is never more than a block of
 * rows. A row is what lies along the last axis (of a plain vector, an element). Unlike a tensor it belongs to no scope until it is finished; given up, it is disposed.
 */
export class WeightWriter {
  readonly shape: readonly number[];
  readonly format: WeightFormat;
  /** Rows in all, and elements of one. */
  readonly rows: number;
  readonly k: number;
  readonly #backend: AnyBackend;
  readonly #info: TensorInfo;
  readonly #existing: Tensor | undefined;
  readonly #pending: Map<number, Pending> = new Map();
  #packed: Uint8Array = new Uint8Array(0);
  #missing: number;
  #open = true;

  /** @throws ArgumentError when the last axis does not divide into the format's blocks; OutOfMemoryError. */
  constructor(shape: readonly number[], format: WeightFormat, options: PlaceOptions = {}, existing?: Tensor) {
    if (format !== "f32") packBytes(shape, format);
    this.shape = [...shape];
    this.format = format;
    this.k = rowLength(shape, format);
    this.rows = this.k === 0 ? 0 : sizeOfShape(shape) / this.k;
    this.#missing = this.rows;
    this.#backend = existing?.backend ?? chosenBackend(options.backend);
    this.#existing = existing;
    enterCapture("WeightWriter", this.#backend);
    this.#info = existing ?? this.#backend.reserve(this.shape, format);
  }

  /** Overwrites a float32 tensor in place. */
  static into(existing: Tensor): WeightWriter {
    return new WeightWriter(existing.shape, "f32", {}, existing);
  }

  /** Rows from `row` on. @throws ShapeError for values that are not whole rows of the weight; ArgumentError for values that no scale takes. */
  write(row: number, values: Float32Array): void {
    const count = this.#check(row, values.length / this.k);
    if (this.format === "f32") {
      this.#backend.writeRows(this.#info, row, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      this.#missing -= count;
      return;
    }
    const rowBytes = packBytes([this.k], this.format);
    const step = Math.max(this.#backend.packedRows, Math.floor(PACKED_AT_ONCE / rowBytes));
    for (let done = 0; done < count; done += step) {
      const n = Math.min(step, count - done);
      if (this.#packed.byteLength < n * rowBytes) this.#packed = new Uint8Array(n * rowBytes);
      const packed = this.#packed.subarray(0, n * rowBytes);
      packRows(values.subarray(done * this.k, (done + n) * this.k), this.format, packed);
      this.writePacked(row + done, packed);
    }
  }

  /** As `write`, of rows in the format's canonical form, as half floats of a file are. */
  writePacked(row: number, canonical: Uint8Array): void {
    if (this.format === "f32") throw new ArgumentError("WeightWriter: a weight of f32 takes values, not packed rows");
    const rowBytes = packBytes([this.k], this.format);
    const count = this.#check(row, canonical.byteLength / rowBytes);
    const together = this.#backend.packedRows;
    const end = row + count;
    const from = Math.min(end, Math.ceil(row / together) * together);
    const until = end === this.rows ? end : Math.max(from, Math.floor(end / together) * together);
    const part = (a: number, b: number): Uint8Array => canonical.subarray((a - row) * rowBytes, (b - row) * rowBytes);
    if (from > row) this.#hold(row, part(row, from), rowBytes);
    if (until > from) this.#backend.writeRows(this.#info, from, part(from, until));
    if (end > until) this.#hold(until, part(until, end), rowBytes);
    this.#missing -= count;
  }

  /** Keeps rows of a group until the group is whole. */
  #hold(row: number, canonical: Uint8Array, rowBytes: number): void {
    const together = this.#backend.packedRows;
    const group = Math.floor(row / together);
    const height = Math.min(together, this.rows - group * together);
    const pending = this.#pending.get(group) ?? { rows: new Uint8Array(height * rowBytes), missing: height };
    this.#pending.set(group, pending);
    pending.rows.set(canonical, (row - group * together) * rowBytes);
    pending.missing -= canonical.byteLength / rowBytes;
    if (pending.missing > 0) return;
    this.#pending.delete(group);
    this.#backend.writeRows(this.#info, group * together, pending.rows);
  }

  #check(row: number, count: number): number {
    if (!this.#open) throw new ArgumentError("WeightWriter: the weight is finished or was given up");
    if (!Number.isInteger(row) || !Number.isInteger(count) || row < 0 || row + count > this.rows)
      throw new ShapeError(
        `WeightWriter: rows must be whole ones of [${this.shape.join(", ")}], got ${count} from row ${row} on`,
      );
    return count;
  }

  /** Whether every row has come. */
  get complete(): boolean {
    return this.#missing === 0 && this.#pending.size === 0;
  }

  /** The tensor, once every row has come. @throws ArgumentError when some have not, and for rows that came twice. */
  finish(): Tensor {
    if (!this.complete)
      throw new ArgumentError(
        `WeightWriter: ${Math.abs(this.#missing)} rows of [${this.shape.join(", ")}] did not come`,
      );
    this.#open = false;
    if (this.#existing !== undefined) return this.#existing;
    return (this.format === "f32" ? wrap : wrapPacked)(this.#info, this.#backend);
  }

  /** Gives the weight up; one that was finished stays. */
  dispose(): void {
    if (this.#open && this.#existing === undefined) this.#backend.disposeData(this.#info.dataId, true);
    this.#open = false;
  }
}
