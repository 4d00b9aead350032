import { ArgumentError } from "@statespace/core";
import { fileStamps, isNode, localFiles, makeFolder, toPath, type SourceLike } from "@statespace/files";

const isFolder = (path: string): Promise<boolean> => localFiles().isFolder(path);

/**
 * Where a conversion writes: the folders above it are made.
 * @param asFile the form is one file, not a folder
 * @throws ArgumentError where it is what is read, which would be replaced while it is, or a folder in place of a file, or the other way round
 */
export async function prepareOut(from: SourceLike, out: string | URL, asFile: boolean): Promise<void> {
  if (!isNode()) return;
  const files = localFiles();
  const path = toPath(out);
  if ((typeof from === "string" || from instanceof URL) && (await files.same(toPathIfLocal(from), path)))
    throw new ArgumentError(`convert: ${path} is what is read; it would be replaced, so write to another place`);
  if (asFile && (await isFolder(path)))
    throw new ArgumentError(`convert: ${path} is a folder; a file is to be written`);
  if (!asFile && (await files.exists(path)) && !(await isFolder(path)))
    throw new ArgumentError(`convert: ${path} is a file; a folder is to be written`);
  await makeFolder(files.parent(path));
}

/** What says that files are the same as before: of local ones their names, sizes and times, of others their address. */
export async function stampOf(from: SourceLike): Promise<string> {
  if (typeof from !== "string" && !(from instanceof URL)) return "";
  const stamps = isNode() ? await fileStamps(toPathIfLocal(from)) : [];
  return [String(from), ...stamps].join("\n");
}

const toPathIfLocal = (from: string | URL): string => (/^https?:/i.test(String(from)) ? "" : toPath(from));
