import { throwIfAborted } from "./abort.ts";
import {
  assertFlatName,
  checkRange,
  type Source,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
  type StreamFileOptions,
} from "./source.ts";

const CHUNK_BYTES = 4 << 20;

/** Files already at hand: bytes, text, or the `File`s of a folder dropped on a page (only what is asked for is read). Paths before the name are dropped. */
export type FileMap =
  | Readonly<Record<string, Uint8Array | Blob | string>>
  | ReadonlyMap<string, Uint8Array | Blob | string>;

/** A source over files already at hand; `name` stands in error messages. */
export function memorySource(files: FileMap, name = "memory"): Source {
  const entries = files instanceof Map ? [...files] : Object.entries(files);
  return new MemorySource(
    name,
    new Map(entries.map(([path, content]) => [path.slice(path.lastIndexOf("/") + 1), toBlobOrBytes(content)])),
  );
}

function toBlobOrBytes(content: Uint8Array | Blob | string): Uint8Array | Blob {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

class MemorySource implements Source {
  readonly name: string;
  readonly #files: ReadonlyMap<string, Uint8Array | Blob>;

  constructor(name: string, files: ReadonlyMap<string, Uint8Array | Blob>) {
    this.name = name;
    this.#files = files;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    throwIfAborted(options.signal, file);
    assertFlatName(file, this.name);
    const content = this.#files.get(file);
    return content instanceof Blob ? content.size : content?.byteLength;
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    checkRange(options, file);
    const size = await this.size(file, options);
    if (typeof size !== "number") return undefined;
    const content = this.#files.get(file) as Uint8Array | Blob;
    const start = Math.min(options.start ?? 0, size);
    const end = Math.min(options.end ?? size, size);
    // Copied, so that a caller who writes into the answer does not change the file.
    const bytes =
      content instanceof Blob
        ? new Uint8Array(await content.slice(start, end).arrayBuffer())
        : content.slice(start, end);
    throwIfAborted(options.signal, file);
    options.onProgress?.({ file, loaded: bytes.byteLength, total: bytes.byteLength });
    return bytes;
  }

  async stream(file: string, options: StreamFileOptions = {}): Promise<FileStream | undefined> {
    const size = await this.size(file, options);
    if (typeof size !== "number") return undefined;
    return { size, chunks: reportProgress(this.#chunks(file, size, options), file, size, options.onProgress) };
  }

  async *#chunks(file: string, size: number, options: StreamFileOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const content = this.#files.get(file);
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      if (options.transient && content instanceof Uint8Array) {
        throwIfAborted(options.signal, file);
        yield content.subarray(start, start + CHUNK_BYTES);
        continue;
      }
      const chunk = await this.read(file, { start, end: start + CHUNK_BYTES, signal: options.signal });
      if (chunk !== undefined) yield chunk;
    }
  }
}
