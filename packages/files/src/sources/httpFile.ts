import { asAborted, throwIfAborted } from "./abort.ts";
import { retryDelay, wait } from "./retry.ts";
import {
  checkRange,
  collect,
  type FileStream,
  type ReadOptions,
  type ReadRangeOptions,
  reportProgress,
} from "./source.ts";
import { SourceError } from "./sourceError.ts";

/** How requests are made. */
export interface HttpOptions {
  /** Replaces the global `fetch`, for instance to add an authorisation header. */
  readonly fetch?: typeof fetch;
  /** How often a request that failed for a passing reason, or a body that broke off, is tried again before it counts as failed. Default 2. */
  readonly retries?: number;
}

/** A file on a server, and what to call it. */
export interface HttpAddress {
  readonly url: URL | string;
  /** In messages and progress. */
  readonly file: string;
  /** The folder or host, in messages. */
  readonly from: string;
  /** Development servers answer a missing file with their index page: HTML then counts as missing. */
  readonly htmlIsMissing: boolean;
}

/** One file on a server, `undefined` where it is missing. */
export class HttpFile {
  readonly #address: HttpAddress;
  readonly #fetch: typeof fetch;
  readonly #retries: number;
  /** Kept where the server answered a range with the whole file. */
  #whole: Uint8Array | undefined;

  constructor(address: HttpAddress, options: HttpOptions) {
    this.#address = address;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#retries = options.retries ?? 2;
  }

  async size(options: ReadOptions): Promise<number | null | undefined> {
    if (this.#whole !== undefined) return this.#whole.byteLength;
    const response = await this.#request("bytes=0-0", options);
    if (response === undefined) return undefined;
    await discard(response);
    const total = response.status === 200 ? declaredLength(response) : totalOfRange(response);
    // Without a body to describe (an empty file), servers answer 416 with the total.
    return total ?? null;
  }

  async read(options: ReadRangeOptions): Promise<Uint8Array | undefined> {
    const { file } = this.#address;
    checkRange(options, file);
    const { start = 0, end } = options;
    if (this.#whole !== undefined) return this.#whole.slice(start, end);
    if (end === start) return (await this.size(options)) === undefined ? undefined : new Uint8Array(0);
    const ranged = start > 0 || end !== undefined;
    const response = await this.#request(
      ranged ? `bytes=${start}-${end === undefined ? "" : end - 1}` : undefined,
      options,
    );
    if (response === undefined) return undefined;
    if (response.status === 416) {
      await discard(response);
      return new Uint8Array(0);
    }
    if (response.status === 206) checkContentRange(response, start, file);
    const bytes = await collect(
      response.status === 206 ? this.#body(response, start, end, options) : this.#body(response, 0, undefined, options),
    );
    if (!ranged || response.status === 206) return end === undefined ? bytes : bytes.subarray(0, end - start);
    this.#whole = bytes;
    return bytes.slice(start, end);
  }

  async stream(options: ReadOptions): Promise<FileStream | undefined> {
    const whole = this.#whole;
    if (whole !== undefined) {
      const { file } = this.#address;
      return {
        size: whole.byteLength,
        chunks: reportProgress(once(whole), file, whole.byteLength, options.onProgress),
      };
    }
    const response = await this.#request(undefined, options);
    return response === undefined ? undefined : this.#body(response, 0, undefined, options);
  }

  /** The answer to a request, tried again where the failure may pass; `undefined` where the file is missing. */
  async #request(range: string | undefined, options: ReadOptions): Promise<Response | undefined> {
    const { file, from } = this.#address;
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(options.signal, file);
      const answer = await this.#ask(range, options);
      const delay = attempt < this.#retries ? retryDelay(answer, attempt) : undefined;
      if (delay !== undefined) {
        if (answer instanceof Response) await discard(answer);
        await wait(delay, options.signal, file);
        continue;
      }
      if (!(answer instanceof Response))
        throw new SourceError(`${file}: cannot be fetched from ${from}`, { cause: answer.error });
      return this.#judge(answer, range);
    }
  }

  async #ask(range: string | undefined, options: ReadOptions): Promise<Response | { readonly error: unknown }> {
    try {
      return await this.#fetch(this.#address.url, {
        ...(range === undefined ? {} : { headers: { Range: range } }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      if (options.signal?.aborted) throw asAborted(error, options.signal, this.#address.file);
      return { error };
    }
  }

  async #judge(response: Response, range: string | undefined): Promise<Response | undefined> {
    const { file, from, htmlIsMissing } = this.#address;
    const html = htmlIsMissing && /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
    const missing = response.status === 404 || response.status === 410 || (response.ok && html);
    const failed = !response.ok && !(response.status === 416 && range !== undefined);
    if (missing || failed) await discard(response);
    if (missing) return undefined;
    if (failed) {
      const hint = response.status === 401 || response.status === 403 ? "; it may be private, or not exist" : "";
      throw new SourceError(`${file}: ${from} answered HTTP ${response.status}${hint}`);
    }
    return response;
  }

  #body(response: Response, start: number, end: number | undefined, options: ReadOptions): FileStream {
    const { file } = this.#address;
    const size = response.status === 200 || response.status === 206 ? declaredLength(response) : undefined;
    const chunks = this.#resumed(response, { start, end, size }, options);
    return { size, chunks: reportProgress(chunks, file, size, options.onProgress) };
  }

  /** The body's chunks; where the connection breaks off, another one goes on from there. */
  async *#resumed(
    first: Response,
    part: { start: number; end: number | undefined; size: number | undefined },
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { file } = this.#address;
    let response = first;
    let received = 0;
    for (let failures = 0; ;) {
      try {
        for await (const chunk of readBody(response, file, options)) {
          received += chunk.byteLength;
          failures = 0;
          yield chunk;
        }
        if (part.size === undefined || received >= part.size) break;
        throw new SourceError(`${file}: the server announced ${part.size} bytes and sent ${received}`);
      } catch (error) {
        if (options.signal?.aborted) throw asAborted(error, options.signal, file);
        const again = ++failures <= this.#retries && part.size !== undefined && received < part.size;
        const next = again ? await this.#goOn(first, part, received, failures, options) : undefined;
        if (next === undefined)
          throw error instanceof SourceError
            ? error
            : new SourceError(`${file}: the connection broke off after ${received} bytes`, { cause: error });
        response = next;
      }
    }
    throwIfAborted(options.signal, file);
    if (part.size !== undefined && received !== part.size)
      throw new SourceError(`${file}: the server announced ${part.size} bytes and sent ${received}`);
  }

  /** The rest of a body that broke off; `undefined` if the server gives no ranges, or the file is another one by now. */
  async #goOn(
    first: Response,
    part: { start: number; end: number | undefined },
    received: number,
    failures: number,
    options: ReadOptions,
  ): Promise<Response | undefined> {
    const { file } = this.#address;
    await wait(retryDelay({ error: undefined }, failures - 1) ?? 0, options.signal, file);
    const from = part.start + received;
    const response = await this.#request(`bytes=${from}-${part.end === undefined ? "" : part.end - 1}`, options);
    const same = response?.headers.get("etag") === first.headers.get("etag");
    if (response?.status === 206 && same) {
      checkContentRange(response, from, file);
      return response;
    }
    if (response !== undefined) await discard(response);
    return undefined;
  }
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
  file: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      throwIfAborted(options.signal, file);
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } finally {
    // A no-op once the body is read to its end; stops the transfer if the consumer leaves early.
    await reader.cancel().catch(ignore);
  }
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
