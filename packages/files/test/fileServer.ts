import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ServerOptions {
  /** Answers ranges with 206. */
  readonly ranges?: boolean;
  /** Sends the index page for a missing file, as development servers do. */
  readonly indexForMissing?: boolean;
  /** Cuts the connection after this many bytes of a body. */
  readonly breakAfter?: number;
  /** Sends a body in pieces of this size, one per turn of the event loop. */
  readonly pieceBytes?: number;
}

export interface FileServer extends AsyncDisposable {
  readonly base: string;
  readonly requests: string[];
  /** Bytes of bodies handed to the network. */
  sent: number;
}

/** A static file server on a free port of this machine. */
export async function serveFiles(
  files: ReadonlyMap<string, Uint8Array>,
  options: ServerOptions = {},
): Promise<FileServer> {
  const requests: string[] = [];
  const state: { sent: number } = { sent: 0 };
  const server: Server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? ""}`.trim());
    void answer(files, options, request, response, state);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`,
    requests,
    get sent() {
      return state.sent;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  files: ReadonlyMap<string, Uint8Array>,
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  state: { sent: number },
): Promise<void> {
  const name = decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname.replace("/model/", ""));
  const file = files.get(name);
  if (name === "forbidden.json") return void response.writeHead(403).end("no");
  if (file === undefined) {
    return void (options.indexForMissing
      ? response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html></html>")
      : response.writeHead(404).end("nothing"));
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  let [start, end] = [0, file.length];
  if (options.ranges === true && range !== null) {
    start = Number(range[1]);
    end = range[2] === "" ? file.length : Math.min(file.length, Number(range[2]) + 1);
    if (start >= file.length) return void response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    response.writeHead(206, {
      "content-range": `bytes ${start}-${end - 1}/${file.length}`,
      "content-length": end - start,
    });
  } else {
    response.writeHead(200, { "content-length": file.length });
  }
  const piece = options.pieceBytes ?? file.length;
  for (let at = start; at < end && !response.destroyed; at += piece) {
    if (options.breakAfter !== undefined && at - start >= options.breakAfter) return void response.destroy();
    response.write(file.subarray(at, Math.min(end, at + piece)));
    state.sent += Math.min(piece, end - at);
    if (options.pieceBytes !== undefined) await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}
