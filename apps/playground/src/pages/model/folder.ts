declare global {
  /** Some browsers let a page write into a folder that the visitor picks. */
  var showDirectoryPicker:
    | ((options: { readonly mode: "readwrite" }) => Promise<FileSystemDirectoryHandle>)
    | undefined;
}

export const canPickFolder = (): boolean => globalThis.showDirectoryPicker !== undefined;

/**
 * Has the visitor pick a folder, and writes files into it.
 * @param files are made once the folder is picked
 * @returns the folder's name; undefined where none was picked
 */
export async function saveIntoFolder(
  files: () => Promise<ReadonlyMap<string, Blob> | undefined>,
): Promise<string | undefined> {
  const folder = await globalThis.showDirectoryPicker!({ mode: "readwrite" }).catch((error: unknown) => {
    if ((error as Error).name === "AbortError") return undefined;
    throw error;
  });
  if (folder === undefined) return undefined;
  for (const [name, blob] of (await files()) ?? []) {
    const writer = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writer.write(blob);
    await writer.close();
  }
  return folder.name;
}

/** Hands a file to the visitor. */
export function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
