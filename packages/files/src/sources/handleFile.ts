import { asStorageFull } from "./storageFull.ts";

/**
 * Writes a file of a folder that a page has a handle of. `createWritable` puts the new content in place in one step, when it is closed; but
 * `getFileHandle` makes a file that is there, empty, before: where the writing fails, it goes again.
 * Errors: {@link StorageFullError} where there is no room; what the browser throws. What was there before stays.
 */
export async function writeHandleFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  write: (writer: FileSystemWritableFileStream) => Promise<void>,
): Promise<FileSystemFileHandle> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const writer = await handle.createWritable();
    try {
      await write(writer);
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
    return handle;
  } catch (error) {
    const left = await handle.getFile().catch(() => undefined);
    if (left?.size === 0) await folder.removeEntry(name).catch(() => undefined);
    throw asStorageFull(error, name);
  }
}
