import { FormatError } from "@statespace/core";
import { sourceName, streamBytes, type ByteSource } from "@statespace/files";

/** A line of a file, without its end. */
export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** How a file is read as it comes. */
export interface StreamOptions {
  readonly signal?: AbortSignal;
}

const NEWLINE = 10;

/**
 * The lines of a file as they come; CRLF ends one too, a byte order mark is dropped.
 * Errors: `FormatError` for bytes that are no UTF-8, with their line and place; what `streamBytes` throws.
 */
export async function* linesOf(from: ByteSource, options: StreamOptions = {}): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let at = 0;
  let parts: Uint8Array[] = [];
  const finished = (): Line => {
    const bytes = parts.length === 1 ? parts[0]! : joined(parts);
    parts = [];
    number++;
    try {
      const text = decoder.decode(bytes);
      return { text: text.endsWith("\r") ? text.slice(0, -1) : text, number };
    } catch (cause) {
      throw new FormatError(`${sourceName(from)}: line ${number}, from byte ${at}, is not valid UTF-8`, { cause });
    } finally {
      at += bytes.length + 1;
    }
  };
  for await (const chunk of streamBytes(from, options)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      start = end + 1;
      yield finished();
    }
    if (start < chunk.length) parts.push(chunk.slice(start));
  }
  if (parts.length > 0) yield finished();
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
