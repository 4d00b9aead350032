import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { type AnyCache, cachedSource, type CachedSourceOptions } from "../cache/cachedSource.ts";
import { openCache } from "../cache/openCache.ts";
import { folderSource } from "./folderSource.ts";
import { handleSource } from "./handleSource.ts";
import { fileAddress, hubAddress, type HubOptions, isHubName } from "./hub.ts";
import { type FileMap, memorySource } from "./memorySource.ts";
import { isNode, nodeFiles } from "./nodeFiles.ts";
import type { ReadOptions, Source } from "./source.ts";
import { explainedSource, type UrlSourceOptions } from "./urlSource.ts";
import { type FileIntegrity, verifiedSource } from "./verifiedSource.ts";

// What a page hands over, for programs whose types know of no page (Node's, without "dom" among TypeScript's libraries): as much of it as public
// signatures need. Where "dom" is there, it declares the same names, with this and more.
declare global {
  interface FileSystemDirectoryHandle {
    readonly kind: "directory";
  }
  interface FileSystemFileHandle {
    readonly kind: "file";
  }
  interface FileSystemWritableFileStream {
    truncate(size: number): Promise<void>;
  }
  interface FileList {
    readonly length: number;
    item(index: number): File | null;
  }
}

/**
 * A local folder (Node), a URL (relative ones in a page), a name on the hub (`owner/name`), a folder handle of a page, dropped or chosen files, files in
 * memory, or a source.
 */
export type SourceLike = string | URL | FileSystemDirectoryHandle | readonly File[] | FileList | FileMap | Source;

/** How `openSource` reads what lies on a server. */
export interface OpenSourceOptions extends UrlSourceOptions, CachedSourceOptions, HubOptions {
  /** Keeps what comes over HTTP, e.g. `openCache()` or `await caches.open("statespace")`. What has a hub name is kept in `openCache()` unless this is false. */
  readonly cache?: AnyCache | false;
  /** What files must be, by name. */
  readonly integrity?: Readonly<Record<string, FileIntegrity>>;
}

const OPTIONS: Readonly<Record<keyof (OpenSourceOptions & ReadOptions), true>> = {
  cache: true,
  integrity: true,
  fetch: true,
  retries: true,
  keyPrefix: true,
  onPutError: true,
  revision: true,
  hub: true,
  signal: true,
  onProgress: true,
};
const OTHER_NAMES = { cacheDir: "cache", branch: "revision", abortSignal: "signal", endpoint: "hub" };

/**
 * The source that a user means by a path, a URL, a name or files. In Node `owner/name` is a folder where there is one of that name, else a name on the hub;
 * in a page it is a name, and a relative URL begins with `./` or `/` or ends with `/`. `hf:owner/name` is always a name.
 * Errors: {@link ArgumentError} if it is none of those. A folder that is missing is told at the first read.
 */
export function openSource(from: SourceLike, options: OpenSourceOptions = {}): Source {
  refuseUnknown("openSource", options, Object.keys(OPTIONS), OTHER_NAMES);
  if (typeof from === "string" || from instanceof URL) return fromAddress(from, options);
  return verified(fromFiles(from), options);
}

function fromFiles(from: Exclude<SourceLike, string | URL>): Source {
  if (typeof from !== "object" || from === null)
    throw new ArgumentError(`openSource: must be a path, a URL, a hub name, files or a source, got ${from}`);
  if (Array.isArray(from) || (typeof FileList !== "undefined" && from instanceof FileList))
    return memorySource(new Map(Array.from(from as ArrayLike<File>, (file) => [file.name, file])), "files");
  if (isSource(from)) return from;
  if (isHandle(from)) return handleSource(from);
  return memorySource(from as FileMap);
}

function isSource(from: object): from is Source {
  return "stream" in from && typeof from.stream === "function";
}

function isHandle(from: object): from is FileSystemDirectoryHandle {
  return "getFileHandle" in from && typeof from.getFileHandle === "function";
}

function fromAddress(from: string | URL, options: OpenSourceOptions): Source {
  const text = String(from);
  if (text === "") throw new ArgumentError("openSource: the path is empty");
  if (/^https?:/i.test(text))
    return remote(explainedSource(folderAddress(text, options), options), options, options.cache);
  if (typeof from === "string" && isHubName(text) && !isFolder(text)) return fromHub(from, options);
  if (isNode() || text.startsWith("file:")) return verified(folderSource(from), options);
  return remote(explainedSource(from, options), options, options.cache);
}

function fromHub(name: string, options: OpenSourceOptions): Source {
  const address = hubAddress(name, options);
  // A mistyped path looks like a name too, and then the hub's answer alone would puzzle.
  const doubtful = isNode() && !name.startsWith("hf:");
  const source = doubtful
    ? explainedSource(
        address,
        options,
        `there is no folder ${JSON.stringify(name)} here, so it was taken for a name on the hub`,
      )
    : explainedSource(address, options);
  return remote(source, { onPutError: () => undefined, ...options }, options.cache ?? openCache);
}

/** Of a page about one file, the folder it lies in. */
function folderAddress(text: string, options: OpenSourceOptions): URL {
  const url = fileAddress(text, options);
  return /\/blob\//.test(new URL(text).pathname) && !url.pathname.endsWith("/") ? new URL(".", url) : url;
}

/** Checked before it is kept, so that a cache never holds a wrong file. */
function remote(inner: Source, options: OpenSourceOptions, cache: AnyCache | false | undefined): Source {
  const source = verified(inner, options);
  if (cache === undefined || cache === false) return source;
  const { keyPrefix, onPutError } = options;
  return cachedSource(source, cache, {
    ...(keyPrefix !== undefined && { keyPrefix }),
    ...(onPutError && { onPutError }),
  });
}

function verified(source: Source, { integrity }: OpenSourceOptions): Source {
  return integrity === undefined ? source : verifiedSource(source, integrity);
}

function isFolder(path: string): boolean {
  return isNode() && !path.startsWith("hf:") && nodeFiles().syncFs.existsSync(path);
}
