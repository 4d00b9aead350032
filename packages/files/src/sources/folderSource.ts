import { asAborted, throwIfAborted } from "./abort.ts";
import { nodeFiles } from "./nodeFiles.ts";
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

const CHUNK_BYTES = 4 << 20;

/** A folder of the local file system (Node only): a path, relative to the working directory or absolute, or a `file:` URL. */
export function folderSource(folder: string | URL): Source {
  return new FolderSource(folder);
}

type FileHandle = import("node:fs/promises").FileHandle;

class FolderSource implements Source {
  readonly name: string;
  readonly #folder: string | URL;

  constructor(folder: string | URL) {
    this.#folder = folder;
    this.name = String(folder);
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return this.#withFile(file, options, async (_handle, size) => size);
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    checkRange(options, file);
    return this.#withFile(file, options, async (handle, size) => {
      const start = Math.min(options.start ?? 0, size);
      const bytes = new Uint8Array(Math.min(options.end ?? size, size) - start);
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

  async stream(file: string, options: ReadOptions = {}): Promise<FileStream | undefined> {
    const size = await this.size(file, options);
    if (typeof size !== "number") return undefined;
    return { size, chunks: reportProgress(this.#chunks(file, size, options), file, size, options.onProgress) };
  }

  async *#chunks(file: string, size: number, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      const chunk = await this.read(file, { start, end: Math.min(start + CHUNK_BYTES, size), signal: options.signal });
      if (chunk === undefined || chunk.byteLength === 0) throw new SourceError(`${file}: shrank while it was read`);
      yield chunk;
    }
  }

  async #withFile<T>(
    file: string,
    options: ReadOptions,
    use: (handle: FileHandle, size: number) => Promise<T>,
  ): Promise<T | undefined> {
    assertFlatName(file, this.name);
    throwIfAborted(options.signal, file);
    const { fs, path, url } = nodeFiles();
    const isUrl = this.#folder instanceof URL || this.#folder.startsWith("file:");
    const folder = isUrl ? url.fileURLToPath(this.#folder) : String(this.#folder);
    let handle: FileHandle | undefined;
    try {
      handle = await fs.open(path.join(folder, file), "r");
      const stat = await handle.stat();
      if (!stat.isFile()) throw new SourceError(`${file}: not a regular file in ${this.name}`);
      return await use(handle, stat.size);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (typeof code === "string")
        throw new SourceError(`${file}: cannot be read from ${this.name}: ${code}`, { cause: error });
      throw asAborted(error, options.signal, file);
    } finally {
      await handle?.close();
    }
  }
}
