import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "../sources/abort.ts";
import {
  assertFlatName,
  checkRange,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
  type Source,
} from "../sources/source.ts";
import { SourceError } from "../sources/sourceError.ts";
import { asStorageFull, StorageFullError } from "../sources/storageFull.ts";
import { type FileCache, type ResponseCache, toFileCache } from "./fileCache.ts";

/** Keys of a cached source, and what happens when storing fails. */
export interface CachedSourceOptions {
  /** Keys are this and the file name; the source's name unless told. The Cache API wants an http(s) URL. */
  readonly keyPrefix?: string;
  /** Called if storing fails, with {@link StorageFullError} on a full disk; the load goes on. Without it that is thrown, or {@link SourceError}. */
  readonly onPutError?: (error: unknown) => void;
}

/** Any cache that `cachedSource` takes, or a function that opens it when it is first needed, such as `openCache`. */
export type AnyCache = ResponseCache | FileCache | (() => Promise<ResponseCache | FileCache>);

/**
 * A source whose files are kept in a cache. A file is stored only once it has arrived whole: an aborted or broken load leaves nothing behind.
 * A missing file is asked for again each time; only where the source cannot be reached, one that was missing before is missing still, so that
 * what was loaded once loads offline, too.
 * Errors: {@link ArgumentError} naming the option that is unknown.
 */
export function cachedSource(inner: Source, cache: AnyCache, options: CachedSourceOptions = {}): Source {
  refuseUnknown("cachedSource", options, ["keyPrefix", "onPutError"], { prefix: "keyPrefix", onError: "onPutError" });
  return new CachedSource(inner, cache, options);
}

/** Behind the key of a file that was missing: a query, which the Cache API tells apart. */
const MISSING = "?missing";

class CachedSource implements Source {
  readonly name: string;
  readonly #inner: Source;
  readonly #given: AnyCache;
  readonly #options: CachedSourceOptions;
  #cache: FileCache | undefined;
  /** The file last looked up; without it each of a checkpoint's ranges would ask the cache for the whole file again. */
  #last: { file: string; blob: Blob } | undefined;
  /** Storing failed, and the caller took it: from then on the inner source is read as it is. */
  #full = false;
  /** The source could not be reached: files that were missing before are not asked for any more. */
  #offline = false;

  constructor(inner: Source, cache: AnyCache, options: CachedSourceOptions) {
    this.name = inner.name;
    this.#inner = inner;
    this.#given = cache;
    this.#options = options;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return (await this.#cached(file, options))?.size ?? (await this.#ask(file, () => this.#inner.size(file, options)));
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    checkRange(options, file);
    const blob = (await this.#cached(file, options)) ?? (await this.#download(file, options));
    if (blob === undefined) return this.#full ? this.#inner.read(file, options) : undefined;
    const bytes = new Uint8Array(await blob.slice(options.start ?? 0, options.end ?? blob.size).arrayBuffer());
    throwIfAborted(options.signal, file);
    return bytes;
  }

  async stream(file: string, options: ReadOptions = {}): Promise<FileStream | undefined> {
    const blob = await this.#cached(file, options);
    if (blob !== undefined) {
      return {
        size: blob.size,
        chunks: reportProgress(blobChunks(blob, file, options.signal), file, blob.size, options.onProgress),
      };
    }
    // Not `transient`, even where the caller would take that: the cache may keep the chunks.
    const stream = await this.#streamed(file, options);
    if (stream !== undefined && this.#full) return stream;
    return stream === undefined ? undefined : { size: stream.size, chunks: this.#keep(stream, file, options) };
  }

  #streamed(file: string, { signal, onProgress }: ReadOptions): Promise<FileStream | undefined> {
    return this.#ask(file, () => this.#inner.stream(file, { signal, onProgress }));
  }

  /** Asks the source, and remembers that it has no such file. */
  async #ask<T>(file: string, work: () => Promise<T | undefined>): Promise<T | undefined> {
    const wasMissing = async (): Promise<boolean> =>
      (await this.#cache?.match(this.#key(file) + MISSING).catch(() => undefined)) !== undefined;
    if (this.#offline && (await wasMissing())) return undefined;
    try {
      const answer = await work();
      if (answer === undefined && !(await wasMissing())) await this.#noteMissing(file);
      return answer;
    } catch (error) {
      // With a cause it is the network's, not an answer.
      const unreachable = error instanceof SourceError && error.cause !== undefined;
      if (!unreachable || !(await wasMissing())) throw error;
      this.#offline = true;
      return undefined;
    }
  }

  /** A note that cannot be kept is no loss. */
  async #noteMissing(file: string): Promise<void> {
    try {
      await (await this.#cache?.write(this.#key(file) + MISSING))?.keep();
    } catch {
      // The next time tells.
    }
  }

  async #cached(file: string, options: ReadOptions): Promise<Blob | undefined> {
    assertFlatName(file, this.name);
    throwIfAborted(options.signal, file);
    if (this.#last?.file === file) return this.#last.blob;
    const blob = await this.#match(file);
    if (blob !== undefined) this.#last = { file, blob };
    return blob;
  }

  /** A cache that cannot be opened is one that cannot store. */
  async #match(file: string): Promise<Blob | undefined> {
    if (this.#cache === undefined) await this.#store(file, async () => undefined);
    return this.#cache?.match(this.#key(file));
  }

  async #download(file: string, options: ReadOptions): Promise<Blob | undefined> {
    if (this.#full) return undefined;
    const stream = await this.#streamed(file, options);
    if (stream === undefined) return undefined;
    for await (const _chunk of this.#keep(stream, file, options));
    return this.#last?.file === file ? this.#last.blob : undefined;
  }

  /** Passes the chunks on and stores the file after the last one. */
  async *#keep(stream: FileStream, file: string, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    let length = 0;
    let writer = await this.#store(file, (cache) => cache.write(this.#key(file)));
    try {
      for await (const chunk of stream.chunks) {
        length += chunk.byteLength;
        const target = writer;
        if (target !== undefined) await this.#store(file, () => target.write(chunk));
        yield chunk;
      }
      if (stream.size !== undefined && length !== stream.size)
        throw new SourceError(`${file}: ${stream.size} bytes were announced and ${length} came`);
      throwIfAborted(options.signal, file);
      const kept = writer;
      const blob = this.#full || kept === undefined ? undefined : await this.#store(file, () => kept.keep());
      if (blob !== undefined) {
        writer = undefined;
        this.#last = { file, blob };
      }
    } finally {
      await writer?.drop();
    }
  }

  /** What the cache does for storing; `undefined` where it cannot and the caller takes that. */
  async #store<T>(file: string, work: (cache: FileCache) => Promise<T>): Promise<T | undefined> {
    if (this.#full) return undefined;
    try {
      this.#cache ??= await openAny(this.#given);
      return await work(this.#cache);
    } catch (error) {
      const told = asStorageFull(error, `the cache, ${file}`);
      if (this.#options.onPutError === undefined)
        throw told instanceof StorageFullError
          ? told
          : new SourceError(`${file}: could not be stored in the cache`, { cause: error });
      this.#full = true;
      this.#options.onPutError(told);
      return undefined;
    }
  }

  #key(file: string): string {
    if (this.#options.keyPrefix !== undefined) return this.#options.keyPrefix + file;
    return this.name + (this.name.endsWith("/") ? "" : "/") + file;
  }
}

/** The cache itself, whichever way it was given. */
export async function openAny(cache: AnyCache): Promise<FileCache> {
  return toFileCache(typeof cache === "function" ? await cache() : cache);
}

async function* blobChunks(
  blob: Blob,
  file: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const step = 4 << 20;
  for (let start = 0; start < blob.size; start += step) {
    throwIfAborted(signal, file);
    yield new Uint8Array(await blob.slice(start, start + step).arrayBuffer());
  }
}
