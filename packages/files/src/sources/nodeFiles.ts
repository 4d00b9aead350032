import { throwIfAborted } from "./abort.ts";
import { SourceError } from "./sourceError.ts";

/** The one place that touches the file system. The modules are asked for by name at run time: an import, even a lazy one, stops some bundlers for browsers. */
export interface NodeFiles {
  readonly fs: typeof import("node:fs/promises");
  readonly path: typeof import("node:path");
  readonly url: typeof import("node:url");
}

export function isNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

/** Errors: {@link SourceError} where there is no file system. */
export function nodeFiles(): NodeFiles {
  if (!isNode())
    throw new SourceError(
      "checkpoint: a local folder can be opened only in Node; in a browser give a URL, files or bytes",
    );
  if (typeof process.getBuiltinModule !== "function")
    throw new SourceError(`checkpoint: a local folder needs Node 22.3 or later, this is ${process.version}`);
  return {
    fs: process.getBuiltinModule("node:fs/promises"),
    path: process.getBuiltinModule("node:path"),
    url: process.getBuiltinModule("node:url"),
  };
}

/**
 * Writes a file under a temporary name beside it, then renames: a reader sees the old file or the new one, never a part.
 * Errors: whatever the chunks or the file system throw, after the temporary file is removed.
 */
export async function writeFileAtomically(
  file: string,
  chunks: Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const { fs } = nodeFiles();
  const temporary = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    const handle = await fs.open(temporary, "wx");
    try {
      for (const chunk of chunks) {
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
    throw error;
  }
}
