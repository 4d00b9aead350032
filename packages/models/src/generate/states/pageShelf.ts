import { writeHandleFile } from "@statespace/files";
import type { StateShelf } from "./stateShelf.ts";

const EXTENSION = ".state";

/** A shelf in a folder of the page's private file system (OPFS). A file is replaced when the new one is whole. */
export async function pageShelf(name: string): Promise<StateShelf> {
  return handleShelf(await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true }));
}

/** A shelf in a folder that a page has a handle of. */
export function handleShelf(folder: FileSystemDirectoryHandle): StateShelf {
  return {
    list: async () => {
      const entries = [];
      for await (const handle of folder.values()) {
        if (handle.kind !== "file" || !handle.name.endsWith(EXTENSION)) continue;
        const file = await handle.getFile();
        entries.push({
          name: handle.name.slice(0, -EXTENSION.length),
          bytes: file.size,
          head: async (length: number) => new Uint8Array(await file.slice(0, length).arrayBuffer()),
        });
      }
      // A file that was being written when the page ended is there, empty.
      return entries.filter(({ bytes }) => bytes > 0);
    },
    get: async (name) => {
      try {
        const file = await (await folder.getFileHandle(name + EXTENSION)).getFile();
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    put: async (name, bytes) => {
      await writeHandleFile(folder, name + EXTENSION, async (writer) => {
        await writer.write(bytes as Uint8Array<ArrayBuffer>);
        await writer.close();
      });
    },
    remove: async (name) => {
      try {
        await folder.removeEntry(name + EXTENSION);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === "NotFoundError";
}
