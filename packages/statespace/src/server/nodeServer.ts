import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream as NodeStream } from "node:stream/web";

/** What answers a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Headers must come within so many milliseconds. */
const HEADERS_TIMEOUT = 10_000;
/** How often connections are looked at; Node's own 30 s would let slow senders stay much longer than they may. */
const LOOK_INTERVAL = 1000;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Node's HTTP server for a handler of web requests. A request's signal is aborted when its reader leaves.
 * @param receiveSeconds a request must come within these, headers and body: slow senders hold nothing
 */
export function nodeServer(handler: Handler, receiveSeconds: number): Server {
  const requestTimeout = Math.ceil(1000 * receiveSeconds);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(HEADERS_TIMEOUT, requestTimeout),
    requestTimeout,
    connectionsCheckingInterval: Math.min(LOOK_INTERVAL, requestTimeout),
    keepAliveTimeout: 5000,
  });
  server.on("request", (incoming, outgoing) => {
    handle(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return;
    const status =
      error.code === "HPE_HEADER_OVERFLOW"
        ? "431 Request Header Fields Too Large"
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? "408 Request Timeout"
          : "400 Bad Request";
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });
  return server;
}

async function handle(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const left = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) left.abort();
  });
  const response = await handler(requestOf(incoming, left.signal));
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) headers[name] = value;
  // The rest of a body that nobody read would be taken for the next request.
  if (!incoming.complete) headers["connection"] = "close";
  outgoing.writeHead(response.status, headers);
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const reader = response.body.getReader();
  left.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined), { once: true });
  if (left.signal.aborted) await reader.cancel();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}

/** Until a slow reader has taken what is written, or has left. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.on("drain", done);
    outgoing.on("close", done);
    if (outgoing.destroyed) done();
  });
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    const [name, value] = [incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!];
    if (!name.startsWith(":")) headers.append(name, value);
  }
  const method = incoming.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD";
  const url = new URL(pathOf(incoming.url), "http://localhost");
  return new Request(url, {
    method,
    headers,
    signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as NodeStream as ReadableStream, duplex: "half" } : {}),
  } as RequestInit);
}

/** Only a path: an address of another host is of no use here. */
function pathOf(url = "/"): string {
  return url.startsWith("/") && !url.startsWith("//") ? url : "/";
}
