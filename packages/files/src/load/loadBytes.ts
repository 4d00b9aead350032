import { ArgumentError, FormatError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { type AnyCache, openAny } from "../cache/cachedSource.ts";
import { asAborted, throwIfAborted } from "../sources/abort.ts";
import { HttpFile, type HttpOptions } from "../sources/httpFile.ts";
import { fileAddress } from "../sources/hub.ts";
import { LocalFile } from "../sources/localFile.ts";
import { isNode, toPath } from "../sources/nodeFiles.ts";
import { sha256Hex } from "../sources/sha256.ts";
import { collect, type FileStream, type ReadOptions, reportProgress } from "../sources/source.ts";
import { SourceError } from "../sources/sourceError.ts";
import { checkSum } from "../sources/verifiedSource.ts";
import { gunzip, isGzip, unpacked } from "./gzip.ts";

/** Where the bytes of one file come from: a URL (a hub's page about a file too), a path (Node), bytes, a blob or a stream. */
export type ByteSource = string | URL | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;

/** How bytes are loaded: progress, abort, requests, cache, and checks of what arrives. */
export interface LoadOptions extends ReadOptions, HttpOptions {
  /** Consulted and filled for http(s) URLs. */
  readonly cache?: AnyCache;
  /** Expected SHA-256 of the bytes as they arrive (before decompression), 64 hex digits. */
  readonly sha256?: string;
  /** More bytes than this, before or after decompression, are refused. Default 2 GiB. */
  readonly maxBytes?: number;
}

const OPTIONS: Readonly<Record<keyof LoadOptions, true>> = {
  cache: true,
  sha256: true,
  maxBytes: true,
  fetch: true,
  retries: true,
  signal: true,
  onProgress: true,
};

const defaultLimit = 2 ** 31;

/**
 * All bytes of one file; gzip is unpacked. `openSource` is for folders.
 * Errors: `SourceError` for what cannot be opened; `FormatError` for a wrong checksum, damaged gzip or too many bytes; `AbortedError`.
 */
export async function loadBytes(from: ByteSource, options: LoadOptions = {}): Promise<Uint8Array> {
  refuseUnknown("loadBytes", options, Object.keys(OPTIONS), { headers: "fetch", limit: "maxBytes" });
  const name = sourceName(from);
  throwIfAborted(options.signal, `load: ${name}`);
  if (options.sha256 !== undefined) checkSum(options.sha256, `load: ${name}`);
  const { maxBytes = defaultLimit } = options;
  const raw = await readWhole(from, name, { ...options, onProgress: whenBytesCame(options.onProgress) }, maxBytes);
  throwIfAborted(options.signal, `load: ${name}`);
  return isGzip(raw) ? gunzip(raw, name, maxBytes) : raw;
}

/**
 * The bytes of one file as they come, for what is too large to hold; gzip is unpacked. Nothing is cached or compared with a checksum.
 * Errors: `SourceError` for what cannot be opened or breaks off; `FormatError` for damaged gzip; `AbortedError`.
 */
export async function* streamBytes(
  from: ByteSource,
  options: Omit<LoadOptions, "cache" | "sha256" | "maxBytes"> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  refuseUnknown("streamBytes", options, ["fetch", "retries", "signal", "onProgress"], { headers: "fetch" });
  const name = sourceName(from);
  throwIfAborted(options.signal, `load: ${name}`);
  const { chunks } = await openFile(from, name, options);
  yield* unpacked(chunks, name);
}

/** Text of one file, which must be UTF-8. Errors: as `loadBytes`, and `FormatError` for bytes that are no UTF-8. */
export async function loadText(from: ByteSource, options: LoadOptions = {}): Promise<string> {
  return decodeUtf8(await loadBytes(from, options), sourceName(from));
}

/** Errors: `FormatError` naming `label` where the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${label}: not valid UTF-8`, { cause });
  }
}

/** A short name for messages. */
export function sourceName(from: ByteSource): string {
  if (typeof from === "string" || from instanceof URL) return String(from).slice(0, 200);
  return from?.constructor?.name ?? typeof from;
}

/** One file's load begins when its first bytes are there; a report of 0 would only come before that. */
function whenBytesCame(report: ReadOptions["onProgress"]): ReadOptions["onProgress"] {
  return report && ((progress) => progress.loaded > 0 && report(progress));
}

async function readWhole(from: ByteSource, name: string, options: LoadOptions, maxBytes: number): Promise<Uint8Array> {
  const { sha256 } = options;
  const cache = isWeb(from) && options.cache !== undefined ? await openAny(options.cache) : undefined;
  const cached = await cache?.match(String(from));
  if (cached !== undefined) {
    const kept = await drain(blobStream(cached, name, options), name, options, maxBytes);
    // An entry that rotted is fetched anew rather than refused for ever.
    if (sha256 === undefined || (await sha256Hex(kept)) === sha256.toLowerCase()) return kept;
  }
  const bytes = await drain(await openFile(from, name, options), name, options, maxBytes);
  const actual = sha256 === undefined ? undefined : await sha256Hex(bytes);
  if (actual !== sha256?.toLowerCase())
    throw new FormatError(`load: SHA-256 of ${name} must be ${sha256}, got ${actual}`);
  if (cache !== undefined) {
    const writer = await cache.write(String(from));
    await writer.write(bytes);
    await writer.keep();
  }
  return bytes;
}

function isWeb(from: ByteSource): boolean {
  return (typeof from === "string" || from instanceof URL) && /^https?:/i.test(String(from));
}

async function openFile(from: ByteSource, name: string, options: LoadOptions): Promise<FileStream> {
  if (from instanceof ArrayBuffer) return blobStream(new Blob([from]), name, options);
  if (from instanceof Uint8Array) return blobStream(new Blob([from as Uint8Array<ArrayBuffer>]), name, options);
  if (from instanceof Blob) return blobStream(from, name, options);
  if (from instanceof ReadableStream)
    return {
      size: undefined,
      chunks: reportProgress(streamChunks(from, name, options), name, undefined, options.onProgress),
    };
  if (typeof from !== "string" && !(from instanceof URL))
    throw new ArgumentError(
      `load: source must be a URL, path, Uint8Array, ArrayBuffer, Blob or ReadableStream, got ${typeof from}`,
    );
  const found = await openAddress(from, name, options);
  if (found === undefined)
    throw new SourceError(`load: cannot open ${name}: there is no such file${isWeb(from) ? " (HTTP 404)" : ""}`);
  return found;
}

async function openAddress(from: string | URL, name: string, options: LoadOptions): Promise<FileStream | undefined> {
  const text = String(from);
  if (isNode() && !/^(https?|data|blob):/i.test(text))
    return new LocalFile(toPath(from), name, "the file system").stream(options);
  const url = isWeb(from) ? fileAddress(text) : from;
  return new HttpFile({ url, file: name, from: "its server", htmlIsMissing: false }, options).stream(options);
}

function blobStream(blob: Blob, name: string, options: LoadOptions): FileStream {
  const chunks = streamChunks(blob.stream(), name, options);
  return { size: blob.size, chunks: reportProgress(chunks, name, blob.size, options.onProgress) };
}

async function* streamChunks(
  stream: ReadableStream<Uint8Array>,
  name: string,
  { signal }: LoadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", stop);
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      throwIfAborted(signal, `load: ${name}`);
      if (done) return;
      loaded += value.length;
      yield value;
    }
  } catch (cause) {
    const error = new SourceError(`load: ${name} broke off after ${loaded} bytes`, { cause });
    throw asAborted(error, signal, `load: ${name}`);
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
}

/** Takes chunks until the end, or until there are too many. */
async function drain(stream: FileStream, name: string, { signal }: LoadOptions, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for await (const chunk of stream.chunks) {
    throwIfAborted(signal, `load: ${name}`);
    loaded += chunk.length;
    if (loaded > maxBytes) throw new FormatError(`load: ${name} has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return collect({ chunks });
}
