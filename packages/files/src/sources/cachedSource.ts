import { throwIfAborted } from "./abort.ts";
import {
  assertFlatName,
  checkRange,
  type Source,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

/** What we need of a browser's `Cache` (`await caches.open("models")`); anything with these two methods will do. */
export interface ResponseCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
}

/** Keys of a cached source, and what happens when storing fails. */
export interface CachedSourceOptions {
  /** Keys are this and the file name; the source's name unless told. The Cache API wants an http(s) URL. */
  readonly keyPrefix?: string;
  /** Called if storing fails (a full disk); the load goes on. Without it the failure is thrown as {@link SourceError}. */
  readonly onPutError?: (error: unknown) => void;
}

/**
 * A source whose files are kept in a cache. A file is stored only once it has arrived whole: an aborted or broken load leaves nothing behind.
 * A missing file is not remembered.
 */
export function cachedSource(inner: Source, cache: ResponseCache, options: CachedSourceOptions = {}): Source {
  return new CachedSource(inner, cache, options);
}

class CachedSource implements Source {
  readonly name: string;
  readonly #inner: Source;
  readonly #cache: ResponseCache;
  readonly #options: CachedSourceOptions;
  /** The file last looked up; without it each of a checkpoint's ranges would ask the cache for the whole file again. */
  #last: { file: string; blob: Blob } | undefined;

  constructor(inner: Source, cache: ResponseCache, options: CachedSourceOptions) {
    this.name = inner.name;
    this.#inner = inner;
    this.#cache = cache;
    this.#options = options;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return (await this.#cached(file, options))?.size ?? (await this.#inner.size(file, options));
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    checkRange(options, file);
    const blob = (await this.#cached(file, options)) ?? (await this.#download(file, options));
    if (blob === undefined) return undefined;
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
    const stream = await this.#inner.stream(file, options);
    return stream === undefined ? undefined : { size: stream.size, chunks: this.#keep(stream, file, options) };
  }

  async #cached(file: string, options: ReadOptions): Promise<Blob | undefined> {
    assertFlatName(file, this.name);
    throwIfAborted(options.signal, file);
    if (this.#last?.file === file) return this.#last.blob;
    const response = await this.#cache.match(this.#key(file));
    if (response === undefined) return undefined;
    const blob = await response.blob();
    this.#last = { file, blob };
    return blob;
  }

  async #download(file: string, options: ReadOptions): Promise<Blob | undefined> {
    const stream = await this.#inner.stream(file, { signal: options.signal, onProgress: options.onProgress });
    if (stream === undefined) return undefined;
    for await (const _chunk of this.#keep(stream, file, options));
    return this.#last?.blob;
  }

  /** Passes the chunks on and stores the file after the last one. */
  async *#keep(stream: FileStream, file: string, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const parts: Blob[] = [];
    for await (const chunk of stream.chunks) {
      // A Blob of its own per chunk: the browser may move it to disk, and later writes to the chunk cannot reach it.
      parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
      yield chunk;
    }
    const blob = new Blob(parts);
    if (stream.size !== undefined && blob.size !== stream.size) {
      throw new SourceError(`${file}: ${stream.size} bytes were announced and ${blob.size} came`);
    }
    throwIfAborted(options.signal, file);
    this.#last = { file, blob };
    try {
      await this.#cache.put(this.#key(file), new Response(blob, { headers: { "content-length": String(blob.size) } }));
    } catch (error) {
      if (this.#options.onPutError === undefined)
        throw new SourceError(`${file}: could not be stored in the cache`, { cause: error });
      this.#options.onPutError(error);
    }
  }

  #key(file: string): string {
    if (this.#options.keyPrefix !== undefined) return this.#options.keyPrefix + file;
    return this.name + (this.name.endsWith("/") ? "" : "/") + file;
  }
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
