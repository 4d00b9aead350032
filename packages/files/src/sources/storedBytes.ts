import { writeHandleFile } from "./handleFile.ts";
import { handleSource } from "./handleSource.ts";
import { isNode, nodeFiles, toPath, writeFileAtomically } from "./nodeFiles.ts";
import { assertFlatName } from "./source.ts";
import { SourceError } from "./sourceError.ts";

/**
 * Stores bytes under a name: a path (Node), or a flat name in the page's private file system. What was there is replaced when all is written.
 * Errors: {@link FormatError} for a name that a page cannot store under; {@link StorageFullError} where there is no room; what else the file system throws.
 */
export async function storeBytes(name: string, bytes: Uint8Array): Promise<void> {
  if (isNode()) return writeFileAtomically(toPath(name), [bytes]);
  assertFlatName(name, "storeBytes");
  await writeHandleFile(await navigator.storage.getDirectory(), name, async (writer) => {
    await writer.write(bytes as Uint8Array<ArrayBuffer>);
    await writer.close();
  });
}

/** What `storeBytes` stored. Errors: {@link SourceError} where there is nothing of that name, or it cannot be read. */
export async function storedBytes(name: string): Promise<Uint8Array> {
  const bytes = isNode()
    ? await fileBytes(name)
    : await handleSource(await navigator.storage.getDirectory()).read(name);
  if (bytes === undefined) throw new SourceError(`${name}: nothing is stored under this name`);
  return bytes;
}

async function fileBytes(name: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await nodeFiles().fs.readFile(toPath(name)));
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") return undefined;
    throw new SourceError(`${name}: cannot be read`, { cause });
  }
}
