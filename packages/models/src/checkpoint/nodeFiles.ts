import { throwIfAborted } from "./abort.ts";
import { SourceError } from "./sourceError.ts";

/** The one place that touches the file system; the modules are asked for only when a folder is opened, so that bundlers for browsers never see them. */
export interface NodeFiles {
  readonly fs: typeof import("node:fs/promises");
  readonly path: typeof import("node:path");
  readonly url: typeof import("node:url");
}

export function isNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

/** Errors: {@link SourceError} where there is no file system. */
export async function nodeFiles(): Promise<NodeFiles> {
  if (!isNode()) throw new SourceError("checkpoint: a local folder can be opened only in Node; in a browser give a URL, files or bytes");
  const [fs, path, url] = await Promise.all([
    import(/* @vite-ignore */ "node:fs/promises"),
    import(/* @vite-ignore */ "node:path"),
    import(/* @vite-ignore */ "node:url"),
  ]);
  return { fs, path, url };
}

/**
 * Writes a file under a temporary name beside it, then renames: a reader sees the old file or the new one, never a part.
 * Errors: whatever the chunks or the file system throw, after the temporary file is removed.
 */
export async function writeFileAtomically(file: string, chunks: Iterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  const { fs } = await nodeFiles();
  const temporary = `${file}.${crypto.randomUUID()}.tmp`;
  try {
    const handle = await fs.open(temporary, "wx");
    try {
      for (const chunk of chunks) {
        throwIfAborted(signal, file);
        for (let written = 0; written < chunk.byteLength; ) {
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
