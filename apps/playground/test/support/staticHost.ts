import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};

/** The plainest static host there is: files under a sub-path, no special headers, no ranges. */
export async function serveFolder(folder: string, base: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname;
    const file = resolve(folder, path.startsWith(base) ? path.slice(base.length) || "index.html" : "missing");
    try {
      const body = await readFile(file);
      response
        .writeHead(200, {
          "content-type": types[extname(file)] ?? "application/octet-stream",
          "content-length": body.length,
        })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the static host has no port");
  return {
    url: `http://127.0.0.1:${address.port}${base}`,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
