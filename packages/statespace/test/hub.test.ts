import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledCheckpoint, cpuBackend, load } from "../src/index.ts";

const NAME = "state-spaces/mamba-130m-hf";
const PATH = `/${NAME}/resolve/main/`;

/** A hub on this machine: names are redirected to where the bytes are, and the first transfer of the weights breaks off half-way. */
class Hub {
  readonly asked: { path: string; range: string | undefined; key: string | undefined }[] = [];
  url = "";
  #broken = false;
  readonly #server: Server = createServer((request, response) => {
    const { url: path = "/", method, headers } = request;
    this.asked.push({ path, range: headers.range, key: headers.authorization });
    if (path.startsWith(PATH)) {
      response.writeHead(302, { location: `/cdn/${path.slice(PATH.length)}` }).end();
      return;
    }
    let whole: Buffer;
    try {
      whole = readFileSync(new URL(path.replace(/^\/cdn\//, "./"), bundledCheckpoint()));
    } catch {
      response.writeHead(404).end("Entry not found");
      return;
    }
    const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? "") ?? [];
    const part = whole.subarray(Number(from), to === "" ? whole.length : Number(to) + 1);
    const ranged =
      headers.range === undefined
        ? {}
        : { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${whole.length}` };
    response.writeHead(headers.range === undefined ? 200 : 206, {
      "content-length": part.length,
      "accept-ranges": "bytes",
      etag: '"1"',
      ...ranged,
    });
    if (method === "HEAD") response.end();
    else if (path.endsWith(".safetensors") && part.length > 1e5 && !this.#broken) {
      this.#broken = true;
      response.write(part.subarray(0, part.length >> 1), () => setTimeout(() => response.destroy(), 50));
    } else response.end(part);
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("a name on the hub", () => {
  let folder: string;
  const before = process.env["STATESPACE_CACHE"];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hub-"));
    process.env["STATESPACE_CACHE"] = folder;
  });
  afterAll(() => {
    if (before === undefined) delete process.env["STATESPACE_CACHE"];
    else process.env["STATESPACE_CACHE"] = before;
    rmSync(folder, { recursive: true });
  });

  it("is loaded through a fetch of one's own, with progress, goes on where a transfer broke off, and comes from the user's cache the next time", async () => {
    const hub = new Hub();
    await hub.start();
    const want = await load(bundledCheckpoint(), { backend: cpuBackend() });
    const text = await want.complete("The state of the", { maxNewTokens: 8, greedy: true });
    want.dispose();
    const told: { loaded: number; total: number }[] = [];
    const first = await load(NAME, {
      hub: hub.url,
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, authorization: "Bearer key" } }),
      progress: ({ loaded, total }) => void told.push({ loaded, total }),
    });
    expect(await first.complete("The state of the", { maxNewTokens: 8, greedy: true })).toBe(text);
    first.dispose();
    expect(new Set(hub.asked.filter(({ path }) => path.startsWith(PATH)).map(({ key }) => key))).toEqual(
      new Set(["Bearer key"]),
    );
    // It grew to its end.
    expect(told.length).toBeGreaterThan(1);
    told.slice(1).forEach(({ loaded }, i) => expect(loaded).toBeGreaterThanOrEqual(told[i]!.loaded));
    expect(told.at(-1)!.loaded).toBe(told.at(-1)!.total);
    // What was there already did not come again.
    const weights = hub.asked.filter(
      ({ path, range }) => path.includes(".safetensors") && path.startsWith("/cdn/") && range !== undefined,
    );
    expect(weights.some(({ range }) => Number(/bytes=(\d+)/.exec(range!)![1]) > 1e5)).toBe(true);
    expect(readdirSync(join(folder, "statespace")).length).toBeGreaterThan(0);
    await hub.stop();
    const again = await load(NAME, { hub: hub.url });
    expect(await again.complete("The state of the", { maxNewTokens: 8, greedy: true })).toBe(text);
    again.dispose();
  });
});
