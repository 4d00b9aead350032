import { FormatError } from "@statespace/core";
import { impostor, IMPOSTOR_BYTES } from "../impostor.ts";
import { throwIfAborted } from "../sources/abort.ts";
import type { FileStream, ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";
import type { RawTensor } from "../tensors/convert.ts";
import type { TensorEntry, TensorFile, TensorPiece } from "../tensors/tensorFile.ts";
import { LENGTH_BYTES, parseHeader, readHeaderLength, type SafetensorsHeader } from "./safetensorsHeader.ts";

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
    const info = this.#header.tensors.get(name);
    if (info === undefined) throw new FormatError(`${this.#file}: tensor ${quote(name)} is missing`);
    const { dataStart } = this.#header;
    const bytes = await this.#source.read(this.#file, {
      ...options,
      start: dataStart + info.begin,
      end: dataStart + info.end,
    });
    if (bytes?.byteLength !== info.end - info.begin)
      throw new FormatError(`${this.#file}: truncated in tensor ${quote(name)}`);
    return { dtype: info.dtype, shape: info.shape, bytes };
  }

  async *pieces(options: ReadOptions = {}): AsyncGenerator<TensorPiece, void, undefined> {
    const stream = await this.#source.stream(this.#file, { ...options, transient: true });
    if (stream === undefined) throw new FormatError(`${this.#source.name}: ${this.#file} is missing`);
    yield* cutTensors(stream, this.#file, this.#header, options);
  }

  async *stream(options: ReadOptions = {}): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
    let whole: Uint8Array | undefined;
    for await (const { name, begin, bytes } of this.pieces(options)) {
      const { dtype, shape, byteLength } = this.entries.get(name)!;
      whole ??= new Uint8Array(byteLength);
      whole.set(bytes, begin);
      if (begin + bytes.byteLength < byteLength) continue;
      yield [name, { dtype, shape, bytes: whole }];
      whole = undefined;
    }
  }
}

/** Cuts a file's chunks where tensors begin. */
async function* cutTensors(
  stream: FileStream,
  file: string,
  header: SafetensorsHeader,
  options: ReadOptions,
): AsyncGenerator<TensorPiece, void, undefined> {
  const chunks = stream.chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  /** Some bytes, of those that are still wanted. */
  const take = async (wanted: number): Promise<Uint8Array> => {
    while (chunk.byteLength === 0) {
      throwIfAborted(options.signal, file);
      const next = await chunks.next();
      if (next.done === true) throw new FormatError(`${file}: truncated: ended ${wanted} bytes early`);
      chunk = next.value;
    }
    const part = chunk.subarray(0, wanted);
    chunk = chunk.subarray(part.byteLength);
    return part;
  };
  try {
    for (let at = 0; at < header.dataStart;) at += (await take(header.dataStart - at)).byteLength;
    for (const { name, begin: first, end } of header.tensors.values()) {
      if (end === first) yield { name, begin: 0, bytes: new Uint8Array(0) };
      for (let begin = 0; begin < end - first;) {
        const bytes = await take(end - first - begin);
        yield { name, begin, bytes };
        begin += bytes.byteLength;
      }
    }
    // Lets the source see the end of the file: a cache stores it only then, and a longer file is a changed one.
    if (chunk.byteLength > 0 || (await chunks.next()).done !== true)
      throw new FormatError(`${file}: bytes after the last tensor`);
  } finally {
    await chunks.return?.();
  }
}
