import { AbortedError, ArgumentError, FormatError } from "@statespace/core";
import { concatBytes } from "./concatBytes.ts";
import { gunzip, isGzip } from "./gzip.ts";
import { type ByteCache, hasFiles, openFile } from "./nodeFiles.ts";
import { sha256Hex, verifySha256 } from "./sha256.ts";

/** Where bytes come from: a URL, a path (Node), bytes, or a stream. */
export type ByteSource = string | URL | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;

/** How bytes are loaded: progress, abort, cache, and checks of what arrives. */
export interface LoadOptions {
  /** Called as bytes arrive; `total` is undefined where the source does not tell. */
  readonly onProgress?: (loaded: number, total: number | undefined) => void;
  /** Stops the load with `AbortedError`. */
  readonly signal?: AbortSignal;
  /** Consulted and filled for http(s) URLs. */
  readonly cache?: ByteCache;
  /** Expected SHA-256 of the bytes as they arrive (before decompression), 64 hex digits. */
  readonly sha256?: string;
  /** More bytes than this, before or after decompression, are refused. Default 2 GiB. */
  readonly maxBytes?: number;
}

const defaultLimit = 2 ** 31;

/**
 * All bytes of a source; gzip is unpacked.
 * Errors: `FormatError` for what cannot be opened, a wrong checksum, damaged gzip or too many bytes; `AbortedError`.
 */
export async function loadBytes(source: ByteSource, options: LoadOptions = {}): Promise<Uint8Array> {
  const { signal, maxBytes = defaultLimit } = options;
  throwIfAborted(signal);
  const name = sourceName(source);
  const raw = await readSource(source, name, options, maxBytes);
  throwIfAborted(signal);
  return isGzip(raw) ? gunzip(raw, name, maxBytes) : raw;
}

async function readSource(
  source: ByteSource,
  label: string,
  options: LoadOptions,
  maxBytes: number,
): Promise<Uint8Array> {
  const { cache, sha256, signal } = options;
  const key = isRemote(source) ? String(source) : undefined;
  const cached = key === undefined ? undefined : await cache?.match(key);
  if (cached) {
    const kept = await drain(fromResponse(cached, label), label, options, maxBytes);
    // An entry that rotted is fetched anew rather than refused for ever.
    if (sha256 === undefined || (await sha256Hex(kept)) === sha256.toLowerCase()) return kept;
  }
  const bytes = await drain(await openSource(source, label, signal), label, options, maxBytes);
  if (sha256 !== undefined) await verifySha256(bytes, sha256, label);
  if (key !== undefined) await cache?.put(key, new Response(bytes as Uint8Array<ArrayBuffer>));
  return bytes;
}

/** Text of a source, which must be UTF-8. Errors: as `loadBytes`, and `FormatError` for bytes that are no UTF-8. */
export async function loadText(source: ByteSource, options: LoadOptions = {}): Promise<string> {
  return decodeUtf8(await loadBytes(source, options), sourceName(source));
}

/** Errors: `FormatError` naming `label` where the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${label}: not valid UTF-8`, { cause });
  }
}

interface Opened {
  readonly stream: ReadableStream<Uint8Array>;
  readonly size: number | undefined;
}

async function openSource(source: ByteSource, label: string, signal: AbortSignal | undefined): Promise<Opened> {
  if (source instanceof ArrayBuffer) return oneChunk(new Uint8Array(source));
  if (source instanceof Uint8Array) return oneChunk(source);
  if (source instanceof Blob) return { stream: source.stream(), size: source.size };
  if (source instanceof ReadableStream) return { stream: source, size: undefined };
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new ArgumentError(
      `load: source must be a URL, path, Uint8Array, ArrayBuffer, Blob or ReadableStream, got ${typeof source}`,
    );
  }
  if (hasFiles() && !/^(https?|data|blob):/i.test(String(source))) {
    return openFile(String(source).startsWith("file:") ? new URL(source) : source);
  }
  try {
    return fromResponse(await fetch(source, signal ? { signal } : {}), label);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`load: cannot fetch ${label}: ${(cause as Error).message}`, { cause });
  }
}

function oneChunk(bytes: Uint8Array): Opened {
  return { stream: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream(), size: bytes.length };
}

function fromResponse(response: Response, label: string): Opened {
  if (!response.ok || response.body === null)
    throw new FormatError(`load: ${label} answered ${response.status} ${response.statusText}`);
  // With a content encoding the header counts packed bytes, while the body is unpacked already.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  return { stream: response.body, size: length === null ? undefined : Number(length) };
}

async function drain(opened: Opened, label: string, options: LoadOptions, maxBytes: number): Promise<Uint8Array> {
  const { onProgress, signal } = options;
  const { size } = opened;
  const reader = opened.stream.getReader();
  const stop = (): void => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", stop);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: Error) => {
        throwIfAborted(signal);
        throw new FormatError(`load: ${label} broke off after ${loaded} bytes: ${cause.message}`, { cause });
      });
      throwIfAborted(signal);
      if (done) break;
      loaded += value.length;
      if (loaded > maxBytes) throw new FormatError(`load: ${label} has more than ${maxBytes} bytes`);
      chunks.push(value);
      onProgress?.(loaded, size);
    }
  } catch (cause) {
    stop();
    throw cause;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  if (size !== undefined && loaded !== size)
    throw new FormatError(`load: ${label} must have ${size} bytes, got ${loaded}`);
  return concatBytes(chunks, loaded);
}

/** Errors: `AbortedError` once the signal has fired. */
function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError("load: aborted", { cause: signal.reason });
}

function isRemote(source: ByteSource): boolean {
  return (typeof source === "string" || source instanceof URL) && /^https?:/i.test(String(source));
}

/** A short name for messages. */
export function sourceName(source: ByteSource): string {
  if (typeof source === "string" || source instanceof URL) return String(source).slice(0, 200);
  return source?.constructor?.name ?? typeof source;
}
