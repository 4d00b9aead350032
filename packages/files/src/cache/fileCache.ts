/** What we need of a browser's `Cache` (`await caches.open("models")`); anything with these two methods will do. */
export interface ResponseCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
}

/** A cache whose files lie on a disk: nothing of them need be in memory. `directoryCache`, `handleCache` and `openCache` make them. */
export interface FileCache {
  /** The file kept under a key; read from the disk only as far as it is asked for. */
  match(key: string): Promise<Blob | undefined>;
  /** Begins a file, which appears under its key when it is kept, whole. */
  write(key: string): Promise<CacheWriter>;
}

/** A file on its way into a cache. */
export interface CacheWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the file and returns it. */
  keep(): Promise<Blob>;
  /** Removes what was written. */
  drop(): Promise<void>;
}

/** One interface for both kinds. */
export function toFileCache(cache: ResponseCache | FileCache): FileCache {
  return "write" in cache ? cache : new ResponseFileCache(cache);
}

class ResponseFileCache implements FileCache {
  readonly #cache: ResponseCache;

  constructor(cache: ResponseCache) {
    this.#cache = cache;
  }

  async match(key: string): Promise<Blob | undefined> {
    return (await this.#cache.match(key))?.blob();
  }

  async write(key: string): Promise<CacheWriter> {
    const parts: Blob[] = [];
    return {
      write: async (chunk) => {
        // A Blob of its own per chunk: the browser may move it to disk, and later writes to the chunk cannot reach it.
        parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
      },
      keep: async () => {
        const blob = new Blob(parts);
        await this.#cache.put(key, new Response(blob, { headers: { "content-length": String(blob.size) } }));
        return blob;
      },
      drop: async () => void parts.splice(0),
    };
  }
}
