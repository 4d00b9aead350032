import { ArgumentError, FormatError } from "@statespace/core";
import { sha256 } from "./sha256.ts";
import {
  collect,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  type Source,
  type StreamFileOptions,
} from "./source.ts";

/** What a file must be. */
export interface FileIntegrity {
  /** Bytes. */
  readonly size?: number;
  /** SHA-256, 64 hex digits. */
  readonly sha256?: string;
}

/**
 * A source whose files are checked as they pass: those named, read whole or streamed. A part of a file is checked for nothing but the file's size.
 * Errors: {@link FormatError} naming the file at its end, before any cache around this keeps it; {@link ArgumentError} for a checksum that is none.
 */
export function verifiedSource(inner: Source, files: Readonly<Record<string, FileIntegrity>>): Source {
  for (const [file, { sha256: sum }] of Object.entries(files)) if (sum !== undefined) checkSum(sum, file);
  return new VerifiedSource(inner, new Map(Object.entries(files)));
}

/** Errors: {@link ArgumentError} unless it is 64 hex digits. */
export function checkSum(sum: string, what: string): void {
  if (!/^[0-9a-f]{64}$/i.test(sum))
    throw new ArgumentError(`${what}: sha256 must be 64 hex digits, got ${String(sum).slice(0, 80)}`);
}

class VerifiedSource implements Source {
  readonly name: string;
  readonly #inner: Source;
  readonly #files: ReadonlyMap<string, FileIntegrity>;

  constructor(inner: Source, files: ReadonlyMap<string, FileIntegrity>) {
    this.name = inner.name;
    this.#inner = inner;
    this.#files = files;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    const size = await this.#inner.size(file, options);
    if (typeof size === "number") checkSize(size, this.#files.get(file), file);
    return size;
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    const whole = (options.start ?? 0) === 0 && options.end === undefined;
    if (!whole || !this.#files.has(file)) return this.#inner.read(file, options);
    const stream = await this.stream(file, options);
    return stream === undefined ? undefined : collect(stream);
  }

  async stream(file: string, options: StreamFileOptions = {}): Promise<FileStream | undefined> {
    const stream = await this.#inner.stream(file, options);
    const expected = this.#files.get(file);
    if (stream === undefined || expected === undefined) return stream;
    if (stream.size !== undefined) checkSize(stream.size, expected, file);
    return { size: stream.size, chunks: verify(stream.chunks, expected, file) };
  }
}

async function* verify(
  chunks: AsyncIterable<Uint8Array>,
  expected: FileIntegrity,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = expected.sha256 === undefined ? undefined : sha256();
  let length = 0;
  for await (const chunk of chunks) {
    hash?.update(chunk);
    length += chunk.byteLength;
    yield chunk;
  }
  checkSize(length, expected, file);
  const actual = hash?.hex();
  if (actual !== undefined && actual !== expected.sha256?.toLowerCase())
    throw new FormatError(`${file}: SHA-256 must be ${expected.sha256}, got ${actual}`);
}

function checkSize(size: number, expected: FileIntegrity | undefined, file: string): void {
  if (expected?.size !== undefined && size !== expected.size)
    throw new FormatError(`${file}: must have ${expected.size} bytes, got ${size}`);
}
