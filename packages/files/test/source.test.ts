import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AbortedError, ArgumentError, FormatError } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  cachedSource,
  type Source,
  folderSource,
  memorySource,
  openSource,
  type ReadProgress,
  type ResponseCache,
  SourceError,
  urlSource,
} from "../src/index.ts";
import { type FileServer, serveFiles } from "./fileServer.ts";

const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const files = new Map<string, Uint8Array>([
  ["weights.bin", data],
  ["empty.json", new Uint8Array(0)],
  ["a b+ü.json", Uint8Array.of(1, 2, 3)],
]);

/** A cache as browsers have it, and a record of what was put. */
class MemoryCache implements ResponseCache {
  readonly stored = new Map<string, Blob>();
  async match(key: string): Promise<Response | undefined> {
    const blob = this.stored.get(key);
    return blob === undefined ? undefined : new Response(blob);
  }
  async put(key: string, response: Response): Promise<void> {
    this.stored.set(key, await response.blob());
  }
}

function fail(): never {
  throw new Error("the file is there");
}

let folder: string;
const servers: FileServer[] = [];
const sources: Record<string, () => Source> = {
  folder: () => folderSource(folder),
  "file URL": () => openSource(pathToFileURL(folder)),
  memory: () => memorySource(Object.fromEntries(files)),
  blobs: () =>
    memorySource(
      new Map([...files].map(([name, bytes]) => [`dropped/${name}`, new Blob([bytes as Uint8Array<ArrayBuffer>])])),
    ),
  "URL with ranges": () => urlSource(servers[0].base),
  "URL without ranges": () => urlSource(`${servers[1].base}/`),
  "cached URL": () => cachedSource(urlSource(servers[0].base), new MemoryCache()),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "statespace-"));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  servers.push(await serveFiles(files, { ranges: true }), await serveFiles(files, { indexForMissing: true }));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  for (const server of servers) await server[Symbol.asyncDispose]();
});

describe.each(Object.keys(sources))("%s", (kind) => {
  test("reads whole files, ranges and streams alike", async () => {
    const source = sources[kind]();
    expect(await source.read("weights.bin")).toEqual(data);
    for (const [start, end] of [
      [0, 8],
      [8, 4096],
      [99_990, 100_000],
      [99_990, 200_000],
      [5, 5],
      [100_000, 100_010],
    ]) {
      expect(await source.read("weights.bin", { start, end }), `${start}..${end}`).toEqual(data.slice(start, end));
    }
    expect(await source.read("weights.bin", { start: 99_000 })).toEqual(data.slice(99_000));
    expect(await source.size("weights.bin")).toBe(100_000);
    const parts: number[] = [];
    for await (const chunk of (await source.stream("weights.bin"))?.chunks ?? []) parts.push(...chunk);
    expect(Uint8Array.from(parts)).toEqual(data);
    expect(await source.read("empty.json")).toEqual(new Uint8Array(0));
    expect(await source.read("a b+ü.json")).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("a missing file is undefined", async () => {
    const source = sources[kind]();
    expect(await source.read("nothing.json")).toBeUndefined();
    expect(await source.read("nothing.json", { start: 0, end: 8 })).toBeUndefined();
    expect(await source.size("nothing.json")).toBeUndefined();
    expect(await source.stream("nothing.json")).toBeUndefined();
  });

  test.each([
    "../secret",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "C:x",
    "file:x",
    "https://x",
    "a\0b",
    "a?b",
    " a",
    "%2e%2e",
  ])("the name %j is refused", async (name) => {
    await expect(sources[kind]().read(name)).rejects.toThrow(FormatError);
  });

  test("a range that is none is refused", async () => {
    for (const range of [{ start: -1 }, { start: 2, end: 1 }, { start: NaN }, { end: 0.5 }]) {
      await expect(sources[kind]().read("weights.bin", range)).rejects.toThrow(ArgumentError);
    }
  });

  test("progress counts up to the size", async () => {
    const seen: ReadProgress[] = [];
    for await (const _chunk of (
      await sources[kind]().stream("weights.bin", { onProgress: (progress) => void seen.push(progress) })
    )?.chunks ?? []);
    expect(seen.at(-1)).toEqual({ file: "weights.bin", loaded: 100_000, total: 100_000 });
    expect(seen.every(({ loaded }, i) => i === 0 || loaded >= seen[i - 1].loaded)).toBe(true);
  });

  test("an aborted signal stops it", async () => {
    await expect(sources[kind]().read("weights.bin", { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
  });
});

test("ranges are what is asked of the server, and a server without them is asked for a file once", async () => {
  await using ranged = await serveFiles(files, { ranges: true });
  await urlSource(ranged.base).read("weights.bin", { start: 10, end: 20 });
  expect(ranged.requests).toEqual(["/model/weights.bin bytes=10-19"]);
  await using plain = await serveFiles(files);
  const source = urlSource(plain.base);
  for (let i = 0; i < 5; i++) await source.read("weights.bin", { start: i, end: i + 10 });
  expect(plain.requests.length).toBe(1);
});

test("a query string (a token) is kept, and only http(s) is accepted", async () => {
  await using server = await serveFiles(files, { ranges: true });
  await urlSource(`${server.base}?token=1#x`).read("empty.json");
  expect(server.requests[0]).toBe("/model/empty.json?token=1");
  for (const bad of ["ftp://host/x", "javascript:alert(1)", "relative/path"])
    expect(() => urlSource(bad)).toThrow(ArgumentError);
});

test("errors of the server and of the connection are typed and name the file", async () => {
  await using server = await serveFiles(files, { breakAfter: 40_000, pieceBytes: 10_000 });
  await expect(urlSource(server.base).read("weights.bin")).rejects.toThrow(SourceError);
  await expect(urlSource(server.base).read("weights.bin")).rejects.toThrow(/weights.bin/);
  await expect(urlSource(server.base).read("forbidden.json")).rejects.toThrow(/HTTP 403/);
  await expect(urlSource("http://127.0.0.1:9/").read("weights.bin")).rejects.toThrow(SourceError);
  await expect(folderSource(join(folder, "weights.bin")).read("x")).rejects.toThrow(/is a file; the folder/);
  await expect(folderSource(join(folder, "nowhere")).size("x")).rejects.toThrow(/nowhere: there is no such folder/);
  await expect(folderSource(join(folder, "nowhere")).stream("x")).rejects.toThrow(SourceError);
});

test("a server that answers another range than the one asked for: too much is cut, another place is an error", async () => {
  const answer = (body: number[], contentRange: string): Source =>
    urlSource("http://host/", {
      fetch: async () =>
        new Response(Uint8Array.from(body), { status: 206, headers: { "content-range": contentRange } }),
    });
  expect(await answer([1, 2, 3, 4], "bytes 5-8/100").read("x", { start: 5, end: 7 })).toEqual(Uint8Array.of(1, 2));
  await expect(answer([1, 2], "bytes 0-1/100").read("x", { start: 5, end: 7 })).rejects.toThrow(SourceError);
});

describe("cache", () => {
  test("the second load asks the server for nothing", async () => {
    await using server = await serveFiles(files, { ranges: true });
    const cache = new MemoryCache();
    expect(await cachedSource(urlSource(server.base), cache).read("weights.bin", { start: 1, end: 3 })).toEqual(
      data.slice(1, 3),
    );
    const asked = server.requests.length;
    expect(await cachedSource(urlSource(server.base), cache).read("weights.bin")).toEqual(data);
    expect(server.requests.length).toBe(asked);
    expect([...cache.stored.keys()]).toEqual([`${server.base}/weights.bin`]);
  });

  test.each(["read", "stream"] as const)("a %s aborted half-way leaves nothing", async (how) => {
    await using server = await serveFiles(files, { pieceBytes: 1000 });
    const cache = new MemoryCache();
    const controller = new AbortController();
    const onProgress = ({ loaded }: ReadProgress): void => {
      if (loaded > 20_000) controller.abort();
    };
    const source = cachedSource(urlSource(server.base), cache);
    const load = async (): Promise<void> => {
      if (how === "read") await source.read("weights.bin", { signal: controller.signal, onProgress });
      else
        for await (const _chunk of (await source.stream("weights.bin", { signal: controller.signal, onProgress }))
          ?.chunks ?? []);
    };
    await expect(load()).rejects.toThrow(AbortedError);
    expect(cache.stored.size).toBe(0);
    expect(await source.read("weights.bin")).toEqual(data); // and the source still works
    expect(cache.stored.size).toBe(1);
  });

  test("a broken connection, or a consumer who leaves, leaves nothing", async () => {
    await using server = await serveFiles(files, { breakAfter: 40_000, pieceBytes: 10_000 });
    const cache = new MemoryCache();
    const source = cachedSource(urlSource(server.base), cache);
    await expect(source.read("weights.bin")).rejects.toThrow(SourceError);
    for await (const _chunk of (await source.stream("weights.bin"))?.chunks ?? []) break;
    expect(cache.stored.size).toBe(0);
  });

  test("a source that sends less than it announced is found out before anything is stored", async () => {
    const cache = new MemoryCache();
    const inner = memorySource(files);
    const short: Source = {
      name: "short",
      size: inner.size.bind(inner),
      read: inner.read.bind(inner),
      stream: async (file) => ({ size: 100_001, chunks: (await inner.stream(file))?.chunks ?? fail() }),
    };
    await expect(cachedSource(short, cache).read("weights.bin")).rejects.toThrow(
      /100001 bytes were announced and 100000 came/,
    );
    expect(cache.stored.size).toBe(0);
  });

  test("a cache that cannot store is an error, unless the caller takes it", async () => {
    const full: ResponseCache = { match: async () => undefined, put: () => Promise.reject(new Error("quota")) };
    await expect(cachedSource(memorySource(files), full).read("weights.bin")).rejects.toThrow(SourceError);
    const errors: unknown[] = [];
    const source = cachedSource(memorySource(files), full, { onPutError: (error) => void errors.push(error) });
    expect(await source.read("weights.bin")).toEqual(data);
    expect(errors.length).toBe(1);
  });
});

test("openSource: path, file URL, URL, files, source", async () => {
  expect(await openSource(folder).read("a b+ü.json")).toEqual(Uint8Array.of(1, 2, 3));
  expect(await openSource([new File([Uint8Array.of(9)], "x.json")]).read("x.json")).toEqual(Uint8Array.of(9));
  expect(await openSource({ "x.json": "{}" }).read("x.json")).toEqual(Uint8Array.of(0x7b, 0x7d));
  const cache = new MemoryCache();
  expect(await openSource(servers[0].base, { cache }).read("a b+ü.json")).toEqual(Uint8Array.of(1, 2, 3));
  expect(cache.stored.size).toBe(1);
  const source = memorySource({});
  expect(openSource(source)).toBe(source);
  expect(() => openSource("")).toThrow(ArgumentError);
  expect((await readdir(folder)).length).toBe(files.size);
});
