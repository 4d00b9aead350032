import { ArgumentError, FormatError } from "@statespace/core";
import { quote } from "../strictJson.ts";

/** How far the read of one file has come. */
export interface ReadProgress {
  readonly file: string;
  /** Bytes read so far. */
  readonly loaded: number;
  /** Bytes there are; `undefined` where the server does not tell. */
  readonly total: number | undefined;
}

/** Options of a read: a signal that stops it with `AbortedError`, and progress in bytes. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** Options of a stream. */
export interface StreamFileOptions extends ReadOptions {
  /** Chunks may be overwritten once the next is asked for, and are only read: memory for one of them is then enough. */
  readonly transient?: boolean;
}

/** The bytes to read, from `start` up to `end`. */
export interface ReadRangeOptions extends ReadOptions {
  /** First byte; 0 unless told. */
  readonly start?: number;
  /** One past the last byte; the end of the file unless told. Past the end of the file, the answer is shorter. */
  readonly end?: number;
}

/** A file as a sequence of chunks of any size. */
export interface FileStream {
  readonly size: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Where files lie: those of a checkpoint, of a data set. Files have flat names (`config.json`); a missing file is `undefined`, not an error.
 * Errors of every method: {@link SourceError} if the file is there and cannot be read, {@link AbortedError} if the signal fired.
 */
export interface Source {
  /** For messages: the folder, the URL. */
  readonly name: string;
  /** Size in bytes; `null` if the file is there and its size is not known. */
  size(file: string, options?: ReadOptions): Promise<number | null | undefined>;
  read(file: string, options?: ReadRangeOptions): Promise<Uint8Array | undefined>;
  stream(file: string, options?: StreamFileOptions): Promise<FileStream | undefined>;
}

/**
 * Checks that a file name coming from a checkpoint stays in its folder: one path segment, no `..`, scheme, drive or control character.
 * Errors: {@link FormatError} naming it.
 */
export function assertFlatName(name: string, what: string): void {
  const ok =
    name.length > 0 &&
    name.length <= 255 &&
    // eslint-disable-next-line no-control-regex
    !/[/\\:?#%*"<>|\u0000-\u001f\u007f]/.test(name) &&
    !/^\.+$/.test(name) &&
    name === name.trim();
  if (!ok) throw new FormatError(`${what}: file name must stay in the checkpoint's folder, got ${quote(name)}`);
}

/** Errors: {@link ArgumentError} unless 0 <= start <= end, whole. */
export function checkRange({ start = 0, end }: ReadRangeOptions, file: string): void {
  if (!Number.isSafeInteger(start) || start < 0 || (end !== undefined && (!Number.isSafeInteger(end) || end < start))) {
    throw new ArgumentError(`${file}: range must be 0 <= start <= end, got ${start}..${end}`);
  }
}

/** A stream's chunks as they pass, counted for the caller's progress report. */
export async function* reportProgress(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  total: number | undefined,
  onProgress: ReadOptions["onProgress"],
): AsyncGenerator<Uint8Array, void, undefined> {
  let loaded = 0;
  onProgress?.({ file, loaded, total });
  for await (const chunk of chunks) {
    loaded += chunk.byteLength;
    onProgress?.({ file, loaded, total });
    yield chunk;
  }
}

/** Chunks, and how many bytes they should come to. */
interface Collectable {
  readonly size?: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** All chunks as one array. Where the size is known they go straight to their place, so that no byte is held twice. */
export async function collect(stream: Collectable): Promise<Uint8Array> {
  if (stream.size !== undefined && stream.size <= LARGEST_TRUSTED)
    return collectInto(new Uint8Array(stream.size), stream);
  const parts: Uint8Array[] = [];
  for await (const part of stream.chunks) parts.push(part);
  return parts.length === 1 ? parts[0] : join(parts);
}

/** A server may announce any size; beyond this nothing is set aside before it has come. */
const LARGEST_TRUSTED = 2 ** 31;

async function collectInto(whole: Uint8Array, { chunks }: Collectable): Promise<Uint8Array> {
  const beyond: Uint8Array[] = [];
  let filled = 0;
  for await (const part of chunks) {
    const room = Math.min(part.byteLength, whole.byteLength - filled);
    whole.set(part.subarray(0, room), filled);
    filled += room;
    if (room < part.byteLength) beyond.push(part.subarray(room));
  }
  const got = whole.subarray(0, filled);
  return beyond.length === 0 ? got : join([got, ...beyond]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.byteLength;
  }
  return whole;
}
