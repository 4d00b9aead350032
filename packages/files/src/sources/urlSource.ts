import { ArgumentError } from "@statespace/core";
import { asAborted, throwIfAborted } from "./abort.ts";
import {
  assertFlatName,
  checkRange,
  collect,
  type Source,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

/** How `urlSource` makes its requests. */
export interface UrlSourceOptions {
  /** Replaces the global `fetch`, for instance to add an authorisation header. */
  readonly fetch?: typeof fetch;
}

/**
 * A folder on an HTTP server, absolute or (in a page) relative. Ranges are asked for and, where the server answers with the whole file instead,
 * the file is kept in memory until another one is read.
 * Errors: {@link ArgumentError} if the URL is not http(s).
 */
export function urlSource(base: string | URL, options: UrlSourceOptions = {}): Source {
  return new UrlSource(base, options.fetch ?? ((input, init) => fetch(input, init)));
}

class UrlSource implements Source {
  readonly name: string;
  readonly #base: URL;
  readonly #fetch: typeof fetch;
  #whole: { file: string; bytes: Uint8Array } | undefined;

  constructor(base: string | URL, fetcher: typeof fetch) {
    this.#base = resolveBase(base);
    this.#fetch = fetcher;
    this.name = this.#base.href;
  }

  async size(file: string, options: ReadOptions = {}): Promise<number | null | undefined> {
    if (this.#whole?.file === file) return this.#whole.bytes.byteLength;
    const response = await this.#request(file, options, "bytes=0-0");
    if (response === undefined) return undefined;
    await discard(response);
    const total = response.status === 200 ? declaredLength(response) : totalOfRange(response);
    // Without a body to describe (an empty file), servers answer 416 with the total.
    return total ?? null;
  }

  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    checkRange(options, file);
    const { start = 0, end } = options;
    if (this.#whole?.file === file) return this.#whole.bytes.slice(start, end);
    if (end === start) return (await this.size(file, options)) === undefined ? undefined : new Uint8Array(0);
    const ranged = start > 0 || end !== undefined;
    const response = await this.#request(
      file,
      options,
      ranged ? `bytes=${start}-${end === undefined ? "" : end - 1}` : undefined,
    );
    if (response === undefined) return undefined;
    if (response.status === 416) {
      await discard(response);
      return new Uint8Array(0);
    }
    if (response.status === 206) checkContentRange(response, start, file);
    const bytes = await collect(this.#body(response, file, options));
    if (!ranged || response.status === 206) return end === undefined ? bytes : bytes.subarray(0, end - start);
    this.#whole = { file, bytes };
    return bytes.slice(start, end);
  }

  async stream(file: string, options: ReadOptions = {}): Promise<FileStream | undefined> {
    if (this.#whole?.file === file) {
      const { bytes } = this.#whole;
      return {
        size: bytes.byteLength,
        chunks: reportProgress(once(bytes), file, bytes.byteLength, options.onProgress),
      };
    }
    const response = await this.#request(file, options, undefined);
    return response === undefined ? undefined : this.#body(response, file, options);
  }

  async #request(file: string, options: ReadOptions, range: string | undefined): Promise<Response | undefined> {
    assertFlatName(file, this.name);
    throwIfAborted(options.signal, file);
    const url = new URL(encodeURIComponent(file), this.#base);
    url.search = this.#base.search;
    let response: Response;
    try {
      response = await this.#fetch(url, {
        ...(range === undefined ? {} : { headers: { Range: range } }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      throw asAborted(
        new SourceError(`${file}: cannot be fetched from ${this.name}`, { cause: error }),
        options.signal,
        file,
      );
    }
    // Development servers answer a missing file with their index page; no file of a checkpoint is HTML.
    const missing =
      response.status === 404 ||
      response.status === 410 ||
      /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
    const failed = !response.ok && !(response.status === 416 && range !== undefined);
    if (missing || failed) await discard(response);
    if (missing) return undefined;
    if (failed) throw new SourceError(`${file}: ${this.name} answered HTTP ${response.status}`);
    return response;
  }

  #body(response: Response, file: string, options: ReadOptions): FileStream {
    const size = response.status === 200 || response.status === 206 ? declaredLength(response) : undefined;
    return { size, chunks: reportProgress(readBody(response, size, file, options), file, size, options.onProgress) };
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

/** Content-Length counts compressed bytes, so under a content coding it says nothing about the body we see. */
function declaredLength(response: Response): number | undefined {
  const coding = response.headers.get("content-encoding");
  const length = response.headers.get("content-length");
  return length !== null && /^\d+$/.test(length) && (coding === null || coding === "identity")
    ? Number(length)
    : undefined;
}

function totalOfRange(response: Response): number | undefined {
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}

function checkContentRange(response: Response, start: number, file: string): void {
  const header = response.headers.get("content-range");
  // Across origins the header is hidden unless the server exposes it; the length is checked all the same.
  const first = header === null ? undefined : /^bytes (\d+)-/.exec(header)?.[1];
  if (first !== undefined && Number(first) !== start)
    throw new SourceError(`${file}: asked for bytes from ${start}, the server sent ${header}`);
}

async function* readBody(
  response: Response,
  size: number | undefined,
  file: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  let received = 0;
  try {
    for (;;) {
      throwIfAborted(options.signal, file);
      const { done, value } = await reader.read();
      if (done) break;
      received += value.byteLength;
      yield value;
    }
  } catch (error) {
    throw asAborted(
      new SourceError(`${file}: the connection broke after ${received} bytes`, { cause: error }),
      options.signal,
      file,
    );
  } finally {
    // A no-op once the body is read to its end; stops the transfer if the consumer leaves early.
    await reader.cancel().catch(ignore);
  }
  throwIfAborted(options.signal, file);
  if (size !== undefined && received !== size)
    throw new SourceError(`${file}: the server announced ${size} bytes and sent ${received}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes.slice();
}

/** Drops a body that nobody will read, so that the connection is free again. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(ignore);
}

function ignore(): void {
  // Cancelling a body that already failed rejects with the failure we have reported.
}
