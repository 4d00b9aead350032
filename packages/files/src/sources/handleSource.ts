import { asAborted, throwIfAborted } from "./abort.ts";
import { memorySource } from "./memorySource.ts";
import {
  assertFlatName,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  type Source,
  type StreamFileOptions,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

/** A folder that the visitor of a page opened (`showDirectoryPicker`), or one of its private file system (`navigator.storage.getDirectory`). */
export function handleSource(folder: FileSystemDirectoryHandle): Source {
  return new HandleSource(folder);
}

class HandleSource implements Source {
  readonly name: string;
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
    this.name = folder.name === "" ? "private files" : folder.name;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return (await this.#open(file, options)).size(file, options);
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    return (await this.#open(file, options)).read(file, options);
  }

  async stream(file: string, options: StreamFileOptions = {}): Promise<FileStream | undefined> {
    return (await this.#open(file, options)).stream(file, options);
  }

  /** A source of this one file, or of none. A `File` is read from the disk only as far as it is asked for. */
  async #open(file: string, options: ReadOptions): Promise<Source> {
    assertFlatName(file, this.name);
    throwIfAborted(options.signal, file);
    try {
      const handle = await this.#folder.getFileHandle(file);
      return memorySource(new Map([[file, await handle.getFile()]]), this.name);
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      if (name === "NotFoundError") return memorySource({}, this.name);
      const why = name === "TypeMismatchError" ? "is a folder" : "cannot be read";
      throw asAborted(new SourceError(`${file}: ${why} in ${this.name}`, { cause: error }), options.signal, file);
    }
  }
}
