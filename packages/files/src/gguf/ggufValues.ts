import type { GgufValueType } from "./ggufTypes.ts";

/**
 * A list of texts as the file holds it. Each is decoded when it is asked for: a vocabulary of 250,000 tokens takes the bytes it has in the file and four for
 * each token.
 */
export class GgufStrings {
  readonly #bytes: Uint8Array;
  /** Where each text begins, behind its length; one more for the end. */
  readonly #offsets: Uint32Array;

  /** @param bytes lengths of eight bytes and texts in turn @param offsets where each begins, and the end */
  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  /** Texts as a file holds them. */
  static of(texts: readonly string[]): GgufStrings {
    const encoder = new TextEncoder();
    const encoded = texts.map((text) => encoder.encode(text));
    const offsets = new Uint32Array(texts.length + 1);
    encoded.forEach((bytes, i) => (offsets[i + 1] = offsets[i] + 8 + bytes.byteLength));
    const bytes = new Uint8Array(offsets[texts.length]);
    const view = new DataView(bytes.buffer);
    encoded.forEach((text, i) => {
      view.setUint32(offsets[i], text.byteLength, true);
      bytes.set(text, offsets[i] + 8);
    });
    return new GgufStrings(bytes, offsets);
  }

  /** As the file has them: each with its length before it, in eight bytes. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#offsets.length - 1;
  }

  at(i: number): string {
    return new TextDecoder().decode(this.#bytes.subarray(this.#offsets[i] + 8, this.#offsets[i + 1]));
  }

  toArray(): string[] {
    const decoder = new TextDecoder();
    return Array.from({ length: this.length }, (_, i) =>
      decoder.decode(this.#bytes.subarray(this.#offsets[i] + 8, this.#offsets[i + 1])),
    );
  }
}

/** Numbers of a list, in the type of the file; of truth values, 1 and 0. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** A value of the metadata. Whole numbers of 64 bits beyond 2^53 are bigints. */
export type GgufScalar = number | bigint | boolean | string;

/** A value of the metadata with the type it has in the file; of lists, that of their items. */
export type GgufValue =
  | { readonly type: Exclude<GgufValueType, "array">; readonly value: GgufScalar }
  | {
      readonly type: "array";
      readonly items: Exclude<GgufValueType, "array">;
      readonly value: GgufNumbers | GgufStrings;
    };
