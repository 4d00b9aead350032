import { ArgumentError } from "@statespace/core";
import { cachedSource, type CachedSourceOptions, type ResponseCache } from "./cachedSource.ts";
import { folderSource } from "./folderSource.ts";
import { type FileMap, memorySource } from "./memorySource.ts";
import { isNode } from "./nodeFiles.ts";
import type { Source } from "./source.ts";
import { urlSource, type UrlSourceOptions } from "./urlSource.ts";

/** A local folder (Node), a URL (relative ones in a page), the files themselves, or a source. */
export type SourceLike = string | URL | readonly File[] | FileMap | Source;

/** How `openSource` reads what lies on a server. */
export interface OpenSourceOptions extends UrlSourceOptions, CachedSourceOptions {
  /** Keeps what comes over HTTP, e.g. `await caches.open("statespace")`. */
  readonly cache?: ResponseCache;
}

/**
 * The source that a user means by a path, a URL or files.
 * Errors: {@link ArgumentError} if it is none of those.
 */
export function openSource(from: SourceLike, options: OpenSourceOptions = {}): Source {
  if (typeof from === "string" || from instanceof URL) return fromAddress(from, options);
  if (Array.isArray(from))
    return memorySource(new Map((from as readonly File[]).map((file) => [file.name, file])), "files");
  if (typeof from !== "object" || from === null)
    throw new ArgumentError(`openSource: must be a path, a URL, files or a source, got ${from}`);
  if (isSource(from)) return from;
  return memorySource(from as FileMap);
}

function isSource(from: object): from is Source {
  return "stream" in from && typeof from.stream === "function";
}

function fromAddress(from: string | URL, options: OpenSourceOptions): Source {
  const text = String(from);
  if (/^https?:/i.test(text) || (!isNode() && !text.startsWith("file:"))) {
    const source = urlSource(from, options);
    return options.cache === undefined ? source : cachedSource(source, options.cache, options);
  }
  if (text === "") throw new ArgumentError("openSource: the path is empty");
  return folderSource(from);
}
