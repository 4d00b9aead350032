import { FormatError } from "@statespace/core";
import { impostor, IMPOSTOR_BYTES } from "../impostor.ts";
import type { ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import type { RawTensor } from "../tensors/convert.ts";
import { cutTensors, joinPieces } from "../tensors/cutTensors.ts";
import type { TensorEntry, TensorFile, TensorPiece } from "../tensors/tensorFile.ts";
import {
  LENGTH_BYTES,
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
  type TensorInfo,
} from "./safetensorsHeader.ts";

/** A safetensors file whose header is read and checked; `undefined` if the source has no such file. Errors: {@link FormatError}; {@link SourceError}. */
export async function openSafetensors(
  source: Source,
  file: string,
  options: ReadOptions = {},
): Promise<TensorFile | undefined> {
  const prefix = await source.read(file, { ...options, start: 0, end: LENGTH_BYTES });
  if (prefix === undefined) return undefined;
  const size = (await source.size(file, options)) ?? undefined;
  await refuseImpostor(source, file, prefix, options);
  const length = readHeaderLength(prefix, size, file);
  const json = await source.read(file, { ...options, start: LENGTH_BYTES, end: LENGTH_BYTES + length });
  if (json?.byteLength !== length)
    throw new FormatError(`${file}: truncated: the header is ${length} bytes long, got ${json?.byteLength ?? 0}`);
  return new Safetensors(source, file, parseHeader(json, size, file));
}

/** A pointer or a page has no header; saying what it is helps more than saying what it lacks. */
async function refuseImpostor(source: Source, file: string, prefix: Uint8Array, options: ReadOptions): Promise<void> {
  // A header of 100 MB at most leaves its length's last bytes 0, which no text has.
  if (prefix.length < LENGTH_BYTES || prefix[LENGTH_BYTES - 1] === 0) return;
  const fault = impostor((await source.read(file, { ...options, start: 0, end: IMPOSTOR_BYTES })) ?? prefix);
  if (fault !== undefined) throw new FormatError(`${file}: ${fault}`);
}

class Safetensors implements TensorFile {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: Source;
  readonly #file: string;
  readonly #header: SafetensorsHeader;

  constructor(source: Source, file: string, header: SafetensorsHeader) {
    this.#source = source;
    this.#file = file;
    this.#header = header;
    this.metadata = header.metadata;
    this.entries = new Map(
      Array.from(header.tensors.values(), ({ name, dtype, shape, begin, end }) => [
        name,
        { dtype, shape, byteLength: end - begin, file },
      ]),
    );
  }

  async read(name: string, options: ReadOptions = {}): Promise<RawTensor> {
    const { dtype, shape, begin, end } = this.#info(name);
    return { dtype, shape, bytes: await this.slice(name, 0, end - begin, options) };
  }

  async slice(name: string, begin: number, end: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const start = this.#header.dataStart + this.#info(name).begin;
    const bytes = await this.#source.read(this.#file, { ...options, start: start + begin, end: start + end });
    if (bytes?.byteLength !== end - begin) throw new FormatError(`${this.#file}: truncated in tensor ${quote(name)}`);
    return bytes;
  }

  #info(name: string): TensorInfo {
    const info = this.#header.tensors.get(name);
    if (info === undefined) throw new FormatError(`${this.#file}: tensor ${quote(name)} is missing`);
    return info;
  }

  async *pieces(options: ReadOptions = {}): AsyncGenerator<TensorPiece, void, undefined> {
    const stream = await this.#source.stream(this.#file, { ...options, transient: true });
    if (stream === undefined) throw new FormatError(`${this.#source.name}: ${this.#file} is missing`);
    const { dataStart, tensors } = this.#header;
    const places = Array.from(tensors.values(), ({ name, begin, end }) => ({
      name,
      begin: dataStart + begin,
      end: dataStart + end,
    }));
    yield* cutTensors(stream, { file: this.#file, places, padded: false }, options);
  }

  async *stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    yield* joinPieces(this.pieces(options), this.entries);
  }
}
