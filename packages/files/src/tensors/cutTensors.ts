import { FormatError } from "@statespace/core";
import { throwIfAborted } from "../sources/abort.ts";
import type { FileStream, ReadOptions } from "../sources/source.ts";
import type { RawTensor } from "./convert.ts";
import type { TensorEntry, TensorPiece } from "./tensorFile.ts";

/** Where a file has its tensors, in bytes from its beginning and in order. */
export interface TensorPlaces {
  /** For messages. */
  readonly file: string;
  readonly places: readonly { readonly name: string; readonly begin: number; readonly end: number }[];
  /** There may be bytes between the tensors and after them that belong to none. */
  readonly padded: boolean;
}

/** Cuts a file's chunks where tensors begin. Errors: {@link FormatError} where the file ends early, or late unless it is padded. */
export async function* cutTensors(
  stream: FileStream,
  { file, places, padded }: TensorPlaces,
  options: ReadOptions,
): AsyncGenerator<TensorPiece, void, undefined> {
  const chunks = stream.chunks[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let position = 0;
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
    position += part.byteLength;
    return part;
  };
  try {
    for (const { name, begin: first, end } of places) {
      while (position < first) await take(first - position);
      if (end === first) yield { name, begin: 0, bytes: new Uint8Array(0) };
      for (let begin = 0; begin < end - first;) {
        const bytes = await take(end - first - begin);
        yield { name, begin, bytes };
        begin += bytes.byteLength;
      }
    }
    // Lets the source see the end of the file: a cache stores it only then, and a longer file is a changed one.
    while (padded && (await chunks.next()).done !== true) throwIfAborted(options.signal, file);
    if (!padded && (chunk.byteLength > 0 || (await chunks.next()).done !== true))
      throw new FormatError(`${file}: bytes after the last tensor`);
  } finally {
    await chunks.return?.();
  }
}

/** Whole tensors, each in a buffer of its own, of the pieces of a file. */
export async function* joinPieces(
  pieces: AsyncIterable<TensorPiece>,
  entries: ReadonlyMap<string, TensorEntry>,
): AsyncGenerator<readonly [string, RawTensor], void, undefined> {
  let whole: Uint8Array | undefined;
  for await (const { name, begin, bytes } of pieces) {
    const { dtype, shape, byteLength } = entries.get(name)!;
    whole ??= new Uint8Array(byteLength);
    whole.set(bytes, begin);
    if (begin + bytes.byteLength < byteLength) continue;
    yield [name, { dtype, shape, bytes: whole }];
    whole = undefined;
  }
}
