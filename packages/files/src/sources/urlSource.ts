import { refuseUnknown } from "@statespace/core/backend";
import { ArgumentError } from "@statespace/core";
import { HttpFile, type HttpOptions } from "./httpFile.ts";
import { assertFlatName, type FileStream, type ReadOptions, type ReadRangeOptions, type Source } from "./source.ts";

/** How `urlSource` makes its requests. */
export type UrlSourceOptions = HttpOptions;

/**
 * A folder on an HTTP server, absolute or (in a page) relative. Ranges are asked for and, where the server answers with the whole file instead,
 * the file is kept in memory until another one is read. What fails for a passing reason is tried again, and a transfer that breaks off goes on where it was.
 * Errors: {@link ArgumentError} if the URL is not http(s), or naming the option that is unknown.
 */
export function urlSource(base: string | URL, options: UrlSourceOptions = {}): Source {
  refuseUnknown("urlSource", options, ["fetch", "retries"], { fetcher: "fetch", headers: "fetch" });
  return new UrlSource(base, options, "");
}

/** {@link urlSource} among whose options may be others, and whose failures also say why this address was tried. */
export function explainedSource(base: string | URL, options: UrlSourceOptions, why?: string): Source {
  return new UrlSource(base, options, why === undefined ? "" : ` (${why})`);
}

class UrlSource implements Source {
  readonly name: string;
  readonly #base: URL;
  readonly #options: HttpOptions;
  readonly #why: string;
  /** The file last read, which may be kept whole. */
  #last: { name: string; file: HttpFile } | undefined;

  constructor(base: string | URL, options: HttpOptions, why: string) {
    this.#base = resolveBase(base);
    this.#options = options;
    this.#why = why;
    this.name = this.#base.href;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    return this.#file(file).size(options);
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    return this.#file(file).read(options);
  }

  async stream(file: string, options: ReadOptions = {}): Promise<FileStream | undefined> {
    return this.#file(file).stream(options);
  }

  #file(name: string): HttpFile {
    if (this.#last?.name === name) return this.#last.file;
    assertFlatName(name, this.name);
    const url = new URL(encodeURIComponent(name), this.#base);
    url.search = this.#base.search;
    const file = new HttpFile({ url, file: name, from: this.name + this.#why, htmlIsMissing: true }, this.#options);
    this.#last = { name, file };
    return file;
  }
}

function resolveBase(base: string | URL): URL {
  const page = typeof location === "object" && /^https?:/.test(location.href) ? location.href : undefined;
  let url: URL;
  try {
    url = new URL(base, page);
  } catch {
    throw new ArgumentError(`urlSource: base must be an http(s) URL, got ${base}`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ArgumentError(`urlSource: base must be an http(s) URL, got ${base}`);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.hash = "";
  return url;
}
