import { FormatError } from "@statespace/core";
import { VALUE_BYTES, VALUE_TYPES, type GgufValueType } from "./ggufTypes.ts";
import { GgufStrings, type GgufNumbers, type GgufScalar, type GgufValue } from "./ggufValues.ts";

/** The header goes on behind the bytes that were read; so many from the beginning of the file are needed. */
export class NeedMoreBytes extends Error {
  readonly bytes: number;

  constructor(bytes: number) {
    super(`${bytes} bytes are needed`);
    this.bytes = bytes;
  }
}

const LISTS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  bool: Uint8Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
} as const;

/** Reads the values of a header one after the other. What a length claims is held against the size of the file before anything is set aside. */
export class GgufCursor {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #size: number;
  readonly #file: string;

  constructor(prefix: Uint8Array, size: number, file: string) {
    this.#bytes = prefix;
    this.#view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
    this.#size = size;
    this.#file = file;
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  /** A whole number of 64 bits that counts or measures something. */
  size(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8, what), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new FormatError(`${this.#file}: ${what} is too large, got ${value}`);
    return Number(value);
  }

  /** How many things of so many bytes at least follow. */
  count(what: string, least: number): number {
    const count = this.size(what);
    if (count * least > this.#size - this.position)
      throw new FormatError(
        `${this.#file}: ${what} is ${count}, more than the ${this.#size - this.position} bytes that follow can hold: it is truncated or damaged`,
      );
    return count;
  }

  /** A key or a name: valid UTF-8, at least one byte. */
  name(what: string, longest: number): string {
    const length = this.count(`length of ${what}`, 1);
    if (length === 0 || length > longest)
      throw new FormatError(`${this.#file}: ${what} must have 1 to ${longest} bytes, got ${length}`);
    const start = this.#take(length, what);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(start, start + length),
      );
    } catch {
      throw new FormatError(`${this.#file}: ${what} must be UTF-8 text`);
    }
  }

  value(what: string): GgufValue {
    const type = this.#type(what);
    if (type !== "array") return { type, value: this.#scalar(type, what) };
    const items = this.#type(`items of ${what}`);
    if (items === "array") throw new FormatError(`${this.#file}: ${what}: lists of lists are not read`);
    return { type, items, value: items === "string" ? this.#strings(what) : this.#numbers(items, what) };
  }

  #type(what: string): GgufValueType {
    const number = this.uint32(`type of ${what}`);
    const type = VALUE_TYPES[number];
    if (type === undefined)
      throw new FormatError(`${this.#file}: type of ${what} must be 0 to ${VALUE_TYPES.length - 1}, got ${number}`);
    return type;
  }

  #scalar(type: Exclude<GgufValueType, "array">, what: string): GgufScalar {
    if (type === "string") {
      const length = this.count(`length of ${what}`, 1);
      const start = this.#take(length, what);
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(start, start + length));
    }
    const [value] = this.#list(type, 1, what);
    if (type === "bool") return this.#truth(Number(value), what);
    return typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
      ? Number(value)
      : value;
  }

  #numbers(items: Exclude<GgufValueType, "array" | "string">, what: string): GgufNumbers {
    const list = this.#list(items, this.count(`length of ${what}`, VALUE_BYTES[items]), what);
    if (items === "bool") for (const value of list) this.#truth(Number(value), what);
    return list;
  }

  /** Copied (and not by `slice`, which a Buffer of Node does not): the bytes in the file need not lie at multiples of their size. */
  #list(type: Exclude<GgufValueType, "array" | "string">, length: number, what: string): GgufNumbers {
    const bytes = length * VALUE_BYTES[type];
    const start = this.#take(bytes, what);
    return new LISTS[type](new Uint8Array(this.#bytes.subarray(start, start + bytes)).buffer);
  }

  #truth(value: number, what: string): boolean {
    if (value > 1) throw new FormatError(`${this.#file}: ${what} must be true (1) or false (0), got ${value}`);
    return value === 1;
  }

  #strings(what: string): GgufStrings {
    const length = this.count(`length of ${what}`, 8);
    const start = this.position;
    const offsets = new Uint32Array(length + 1);
    for (let i = 0; i < length; i++) {
      offsets[i] = this.position - start;
      this.#take(this.count(`length of item ${i} of ${what}`, 1), what);
    }
    if (this.position - start >= 2 ** 32) throw new FormatError(`${this.#file}: ${what} has more than 4 GB of texts`);
    offsets[length] = this.position - start;
    return new GgufStrings(this.#bytes.subarray(start, this.position), offsets);
  }

  /** Where the next bytes begin. */
  #take(length: number, what: string): number {
    const start = this.position;
    if (start + length > this.#size)
      throw new FormatError(`${this.#file}: ${what} ends beyond the end of the file at ${this.#size}: it is truncated`);
    if (start + length > this.#bytes.byteLength) throw new NeedMoreBytes(start + length);
    this.position += length;
    return start;
  }
}
