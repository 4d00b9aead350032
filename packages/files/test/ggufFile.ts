/** Builds GGUF files by hand, also ones that lie; the writer under test cannot make those. */
export class GgufBytes {
  readonly #parts: Uint8Array[] = [];

  get length(): number {
    return this.#parts.reduce((total, part) => total + part.byteLength, 0);
  }

  raw(...bytes: readonly number[]): this {
    this.#parts.push(Uint8Array.from(bytes));
    return this;
  }

  u32(value: number): this {
    this.#parts.push(new Uint8Array(Uint32Array.of(value).buffer));
    return this;
  }

  u64(value: number | bigint): this {
    this.#parts.push(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
    return this;
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.byteLength);
    this.#parts.push(bytes);
    return this;
  }

  header(tensors: number | bigint, values: number | bigint, version = 3): this {
    return this.raw(0x47, 0x47, 0x55, 0x46).u32(version).u64(tensors).u64(values);
  }

  /** Dimensions as the file has them: the fastest first. */
  tensor(name: string, dims: readonly (number | bigint)[], type: number, offset: number | bigint): this {
    this.text(name).u32(dims.length);
    for (const dim of dims) this.u64(dim);
    return this.u32(type).u64(offset);
  }

  /** Up to the next multiple, then so many bytes of data. */
  data(bytes: number, alignment = 32): this {
    this.#parts.push(new Uint8Array(Math.ceil(this.length / alignment) * alignment - this.length + bytes));
    return this;
  }

  file(): Uint8Array {
    const file = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      file.set(part, at);
      at += part.byteLength;
    }
    return file;
  }
}
