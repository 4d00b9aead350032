import { FormatError } from "@statespace/core";
import type { ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import type { StoredType } from "./blockTypes.ts";
import type { RawTensor } from "./convert.ts";
import { cutTensors, joinPieces } from "./cutTensors.ts";
import type { TensorEntry, TensorFile, TensorPiece } from "./tensorFile.ts";

/** A tensor, and where in its file it lies. */
export interface PlacedTensor {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Bytes from the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

/** What a file's header told. */
export interface PlacedHeader {
  readonly source: Source;
  readonly file: string;
  /** In the order of their places. */
  readonly tensors: Iterable<PlacedTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** There may be bytes between tensors that belong to none. */
  readonly padded: boolean;
}

/** The tensors of one file whose places are known: what safetensors and GGUF are once their headers are read. */
export class PlacedTensors implements TensorFile {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #header: PlacedHeader;
  readonly #tensors: ReadonlyMap<string, PlacedTensor>;

  constructor(header: PlacedHeader) {
    this.#header = header;
    this.metadata = header.metadata;
    this.#tensors = new Map(Array.from(header.tensors, (tensor) => [tensor.name, tensor]));
    this.entries = new Map(
      Array.from(this.#tensors.values(), ({ name, dtype, shape, begin, end }) => [
        name,
        { dtype, shape, byteLength: end - begin, file: header.file },
      ]),
    );
  }

  async read(name: string, options: ReadOptions = {}): Promise<RawTensor> {
    const { dtype, shape, begin, end } = this.#placed(name);
    return { dtype, shape, bytes: await this.slice(name, 0, end - begin, options) };
  }

  async slice(name: string, begin: number, end: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const { source, file } = this.#header;
    const start = this.#placed(name).begin;
    const bytes = await source.read(file, { ...options, start: start + begin, end: start + end });
    if (bytes?.byteLength !== end - begin) throw new FormatError(`${file}: truncated in tensor ${quote(name)}`);
    return bytes;
  }

  async *pieces(options: ReadOptions = {}): AsyncGenerator<TensorPiece, void, undefined> {
    const { source, file, padded } = this.#header;
    const stream = await source.stream(file, { ...options, transient: true });
    if (stream === undefined) throw new FormatError(`${source.name}: ${file} is missing`);
    yield* cutTensors(stream, { file, places: [...this.#tensors.values()], padded }, options);
  }

  stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    return joinPieces(this.pieces(options), this.entries);
  }

  #placed(name: string): PlacedTensor {
    const found = this.#tensors.get(name);
    if (found === undefined) throw new FormatError(`${this.#header.file}: tensor ${quote(name)} is missing`);
    return found;
  }
}
