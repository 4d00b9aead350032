import { isNode, nodeFiles } from "../sources/nodeFiles.ts";
import { SourceError } from "../sources/sourceError.ts";
import { directoryCache } from "./directoryCache.ts";
import { type FileCache, toFileCache } from "./fileCache.ts";
import { handleCache } from "./handleCache.ts";

/**
 * The cache of this machine's user: a folder of the user's cache folder in Node (`$STATESPACE_CACHE`, or what the system has for it), the private file system
 * of a page's origin, or where that cannot be written the Cache API.
 * Errors: {@link SourceError} where there is none, as in some private windows.
 */
export async function openCache(name = "statespace"): Promise<FileCache> {
  if (isNode()) return directoryCache(userFolder(name));
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(name, { create: true });
    if ("createWritable" in FileSystemFileHandle.prototype) return handleCache(folder);
  } catch {
    // An older browser or a private window; the other kind may still be there.
  }
  try {
    return toFileCache(await caches.open(name));
  } catch (cause) {
    throw new SourceError("openCache: this page has no place to keep files", { cause });
  }
}

function userFolder(name: string): string {
  const { path, os } = nodeFiles();
  const told = environment("STATESPACE_CACHE");
  if (told !== undefined) return path.join(told, name);
  const home = os.homedir();
  if (process.platform === "win32")
    return path.join(environment("LOCALAPPDATA") ?? path.join(home, "AppData", "Local"), name, "cache");
  if (process.platform === "darwin") return path.join(home, "Library", "Caches", name);
  return path.join(environment("XDG_CACHE_HOME") ?? path.join(home, ".cache"), name);
}

/** A variable of the environment that is not empty; none where asking for it is not allowed (Deno). */
function environment(name: string): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch {
    return undefined;
  }
}
