import { writeHandleFile } from "../sources/handleFile.ts";
import type { CacheWriter, FileCache } from "./fileCache.ts";

/** A cache in a folder of a page's private file system (OPFS) or one that the visitor opened. A file is replaced only when the new one is whole. */
export function handleCache(folder: FileSystemDirectoryHandle): FileCache {
  return {
    match: async (key) => {
      try {
        const file = await (await folder.getFileHandle(await fileName(key))).getFile();
        // One that was being put in place when the page ended is there, empty.
        return file.size === 0 ? undefined : file;
      } catch (error) {
        if (error instanceof Error && error.name === "NotFoundError") return undefined;
        throw error;
      }
    },
    write: async (key) => writer(folder, await fileName(key)),
  };
}

async function fileName(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Written under another name first: a file made by `getFileHandle` is there, empty, before anything is in it. */
async function writer(folder: FileSystemDirectoryHandle, name: string): Promise<CacheWriter> {
  const partial = `${name}.${crypto.randomUUID()}.part`;
  const handle = await folder.getFileHandle(partial, { create: true });
  const stream = await handle.createWritable();
  return {
    write: (chunk) => stream.write(chunk as Uint8Array<ArrayBuffer>),
    keep: async () => {
      await stream.close();
      const written = await handle.getFile();
      // No browser renames a file everywhere yet.
      const target = await writeHandleFile(folder, name, (copy) => written.stream().pipeTo(copy));
      await folder.removeEntry(partial);
      return target.getFile();
    },
    drop: async () => {
      await stream.abort().catch(() => undefined);
      await folder.removeEntry(partial).catch(() => undefined);
    },
  };
}
