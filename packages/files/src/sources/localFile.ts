import { asAborted, throwIfAborted } from "./abort.ts";
import { type FileHandle, nodeFiles } from "./nodeFiles.ts";
import {
  checkRange,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
  type StreamFileOptions,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

const CHUNK_BYTES = 4 << 20;

/** One file of the local file system (Node), `undefined` where it is missing. */
export class LocalFile {
  readonly #path: string;
  /** In messages and progress. */
  readonly #file: string;
  readonly #from: string;

  constructor(path: string, file: string, from: string) {
    this.#path = path;
    this.#file = file;
    this.#from = from;
  }

  async size(options: ReadOptions): Promise<number | undefined> {
    return this.#open(options, async (_handle, size) => size);
  }

  /** @param target where the bytes go, if it is large enough */
  async read(options: ReadRangeOptions, target?: Uint8Array): Promise<Uint8Array | undefined> {
    const file = this.#file;
    checkRange(options, file);
    return this.#open(options, async (handle, size) => {
      const start = Math.min(options.start ?? 0, size);
      const length = Math.min(options.end ?? size, size) - start;
      const bytes =
        target !== undefined && target.byteLength >= length ? target.subarray(0, length) : new Uint8Array(length);
      for (let filled = 0; filled < bytes.byteLength;) {
        throwIfAborted(options.signal, file);
        const { bytesRead } = await handle.read(
          bytes,
          filled,
          Math.min(CHUNK_BYTES, bytes.byteLength - filled),
          start + filled,
        );
        if (bytesRead === 0) throw new SourceError(`${file}: shrank while it was read`);
        filled += bytesRead;
        options.onProgress?.({ file, loaded: filled, total: bytes.byteLength });
      }
      return bytes;
    });
  }

  async stream(options: StreamFileOptions): Promise<FileStream | undefined> {
    const size = await this.size(options);
    if (size === undefined) return undefined;
    return { size, chunks: reportProgress(this.#chunks(size, options), this.#file, size, options.onProgress) };
  }

  async *#chunks(size: number, options: StreamFileOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const target = options.transient ? new Uint8Array(Math.min(CHUNK_BYTES, size)) : undefined;
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, size);
      const chunk = await this.read({ start, end, signal: options.signal }, target);
      if (chunk === undefined || chunk.byteLength === 0)
        throw new SourceError(`${this.#file}: shrank while it was read`);
      yield chunk;
    }
  }

  async #open<T>(options: ReadOptions, use: (handle: FileHandle, size: number) => Promise<T>): Promise<T | undefined> {
    throwIfAborted(options.signal, this.#file);
    let handle: FileHandle | undefined;
    try {
      handle = await nodeFiles().fs.open(this.#path, "r");
      const stat = await handle.stat();
      if (!stat.isFile()) throw new SourceError(`${this.#file}: not a regular file in ${this.#from}`);
      return await use(handle, stat.size);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (typeof code === "string")
        throw new SourceError(`${this.#file}: cannot be read from ${this.#from}: ${code}`, { cause: error });
      throw asAborted(error, options.signal, this.#file);
    } finally {
      await handle?.close();
    }
  }
}
