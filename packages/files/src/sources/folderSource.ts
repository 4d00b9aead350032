import { LocalFile } from "./localFile.ts";
import { nodeFiles, toPath } from "./nodeFiles.ts";
import {
  assertFlatName,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  type Source,
  type StreamFileOptions,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

/**
 * A folder of the local file system (Node only): a path, relative to the working directory or absolute, or a `file:` URL.
 * A folder that is not there, or a file in its place, is a {@link SourceError} at the first read.
 */
export function folderSource(folder: string | URL): Source {
  return new FolderSource(folder);
}

class FolderSource implements Source {
  readonly name: string;
  readonly #folder: string | URL;

  constructor(folder: string | URL) {
    this.#folder = folder;
    this.name = String(folder);
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return (await this.#file(file).size(options)) ?? this.#missing();
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    return (await this.#file(file).read(options)) ?? this.#missing();
  }

  async stream(file: string, options: StreamFileOptions = {}): Promise<FileStream | undefined> {
    return (await this.#file(file).stream(options)) ?? this.#missing();
  }

  #file(name: string): LocalFile {
    assertFlatName(name, this.name);
    return new LocalFile(nodeFiles().path.join(toPath(this.#folder), name), name, this.name);
  }

  /** A missing file is `undefined`; a missing folder is what the caller got wrong. */
  async #missing(): Promise<undefined> {
    const { fs } = nodeFiles();
    try {
      if (!(await fs.stat(toPath(this.#folder))).isDirectory())
        throw new SourceError(
          /\.onnx$/i.test(this.name)
            ? `${this.name} is an ONNX file, which is written here and not read; the checkpoint that it was made of is wanted`
            : `${this.name} is a file; the folder that holds it is wanted`,
        );
    } catch (error) {
      if (error instanceof SourceError) throw error;
      throw new SourceError(`${this.name}: there is no such folder`, { cause: error });
    }
    return undefined;
  }
}
