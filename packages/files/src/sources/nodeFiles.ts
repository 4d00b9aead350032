import { throwIfAborted } from "./abort.ts";
import { SourceError } from "./sourceError.ts";
import { asStorageFull } from "./storageFull.ts";

/** Node's own modules, as `nodeFiles` gives them. */
export interface NodeFiles {
  readonly fs: typeof import("node:fs/promises");
  readonly path: typeof import("node:path");
  readonly url: typeof import("node:url");
  readonly os: typeof import("node:os");
  readonly crypto: typeof import("node:crypto");
  readonly syncFs: typeof import("node:fs");
}

/** A file that Node has opened. */
export type FileHandle = import("node:fs/promises").FileHandle;

/** Whether this is Node, and paths can be opened. */
export function isNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

/**
 * The one place that touches the file system. The modules are asked for by name at run time: an import, even a lazy one, stops some bundlers for browsers.
 * Errors: {@link SourceError} where there is no file system.
 */
export function nodeFiles(): NodeFiles {
  if (!isNode())
    throw new SourceError("files: a local folder can be opened only in Node; in a browser give a URL, files or bytes");
  if (typeof process.getBuiltinModule !== "function")
    throw new SourceError(`files: a local folder needs Node 22.3 or later, this is ${process.version}`);
  return {
    fs: process.getBuiltinModule("node:fs/promises"),
    path: process.getBuiltinModule("node:path"),
    url: process.getBuiltinModule("node:url"),
    os: process.getBuiltinModule("node:os"),
    crypto: process.getBuiltinModule("node:crypto"),
    syncFs: process.getBuiltinModule("node:fs"),
  };
}

/** The path that a path or a `file:` URL means. */
export function toPath(from: string | URL): string {
  const isUrl = from instanceof URL || /^file:/i.test(from);
  return isUrl ? nodeFiles().url.fileURLToPath(from) : from;
}

/** Makes a folder (Node), and those that it lies in, where they are not there. Errors: what the file system throws. */
export async function makeFolder(path: string): Promise<void> {
  await nodeFiles().fs.mkdir(path, { recursive: true });
}

/** Removes a file (Node), if it is there. Errors: what the file system throws. */
export async function removeFile(path: string): Promise<void> {
  await nodeFiles().fs.rm(path, { force: true });
}

/** Name, size and time of a file, or of each in a folder but for those that are being written; none where there is neither. */
export async function fileStamps(place: string): Promise<readonly string[]> {
  const { fs, path } = nodeFiles();
  const stat = await fs.stat(place).catch(() => undefined);
  if (stat === undefined) return [];
  const names = stat.isDirectory()
    ? (await fs.readdir(place)).filter((name) => !/\.(part|tmp)$/.test(name)).sort()
    : [];
  const files = stat.isDirectory() ? names.map((name) => path.join(place, name)) : [place];
  return Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await fs.stat(file);
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
}

/**
 * Writes a file under a temporary name beside it, then renames: a reader sees the old file or the new one, never a part.
 * Errors: {@link StorageFullError} where there is no room; whatever else the chunks or the file system throw. The temporary file is removed first.
 */
export async function writeFileAtomically(
  file: string,
  chunks: Iterable<Uint8Array | Promise<Uint8Array>> | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const { fs } = nodeFiles();
  const temporary = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    const handle = await fs.open(temporary, "wx");
    try {
      for await (const chunk of chunks) {
        throwIfAborted(signal, file);
        for (let written = 0; written < chunk.byteLength;) {
          written += (await handle.write(chunk, written, chunk.byteLength - written)).bytesWritten;
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    throwIfAborted(signal, file);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw asStorageFull(error, file);
  }
}
