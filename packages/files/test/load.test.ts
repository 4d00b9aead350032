import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { AbortedError, ArgumentError, FormatError, Rng } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryCache, loadBytes, loadText, sha256Hex, SourceError } from "../src/index.ts";

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) >> 3);
const digest = createHash("sha256").update(bytes).digest("hex");
let folder: string;
let server: Server;
let origin: string;
let requests = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "datasets-"));
  await writeFile(join(folder, "plain"), bytes);
  await writeFile(join(folder, "packed.gz"), gzipSync(bytes));
  server = createServer((request, response) => {
    requests++;
    if (request.url === "/missing") response.writeHead(404).end();
    else if (request.url === "/short") {
      response.writeHead(200, { "content-length": 100 });
      response.write("abc", () => response.destroy());
    } else if (request.url === "/slow") response.writeHead(200).write("abc");
    else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function chunked(): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += 700_001)));
    },
  });
}

describe("sources", () => {
  test("every kind of source gives the same bytes, with progress to the end", async () => {
    const path = join(folder, "plain");
    const sources = [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      `${origin}/data`,
      new URL(`${origin}/data`),
      bytes,
      bytes.slice().buffer,
      new Blob([bytes]),
      chunked(),
    ];
    for (const source of sources) {
      let last = 0;
      const got = await loadBytes(source, {
        sha256: digest,
        onProgress: ({ loaded, total }) => {
          expect(loaded).toBeGreaterThan(last);
          last = loaded;
          if (total !== undefined) expect(total).toBe(bytes.length);
        },
      });
      expect(got.length).toBe(bytes.length);
      expect(last).toBe(bytes.length);
      expect(Buffer.compare(got, bytes)).toBe(0);
    }
  });

  test("a view into a larger buffer gives the view alone", async () => {
    expect([...(await loadBytes(bytes.subarray(10, 14)))]).toEqual([...bytes.subarray(10, 14)]);
  });

  test("gzip is unpacked; the checksum is that of the file", async () => {
    const packed = await readFile(join(folder, "packed.gz"));
    const got = await loadBytes(join(folder, "packed.gz"), { sha256: await sha256Hex(packed) });
    expect(Buffer.compare(got, bytes)).toBe(0);
  });

  test("what is wrong is named", async () => {
    await expect(loadBytes(join(folder, "nothing"))).rejects.toThrow(/cannot open .*nothing/);
    await expect(loadBytes(folder)).rejects.toThrow(SourceError);
    await expect(loadBytes(`${origin}/missing`)).rejects.toThrow(/404/);
    await expect(loadBytes(`${origin}/short`)).rejects.toThrow(/broke off after \d+ bytes/);
    await expect(loadBytes("http://127.0.0.1:1/")).rejects.toThrow(SourceError);
    await expect(loadBytes(bytes, { sha256: "0".repeat(64) })).rejects.toThrow(FormatError);
    await expect(loadBytes(bytes, { sha256: "xyz" })).rejects.toThrow(ArgumentError);
    await expect(loadBytes(bytes, { maxBytes: 100 })).rejects.toThrow(/more than 100 bytes/);
    await expect(loadBytes(7 as unknown as string)).rejects.toThrow(ArgumentError);
    await expect(loadText(Uint8Array.of(0x61, 0xff))).rejects.toThrow(/not valid UTF-8/);
  });

  test("a small gzip that unpacks to much is stopped, damaged gzip is refused", async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    await expect(loadBytes(bomb, { maxBytes: 1_000_000 })).rejects.toThrow(/unpacks to more than 1000000 bytes/);
    const packed = gzipSync(bytes.subarray(0, 5000));
    const rng = new Rng(1);
    for (let round = 0; round < 200; round++) {
      const damaged = Uint8Array.from(
        packed.subarray(0, round % 2 ? packed.length : 3 + rng.integer(packed.length - 3)),
      );
      // From byte 10 on: the header before it holds a time stamp that may be anything.
      if (round % 2) damaged[10 + rng.integer(packed.length - 10)] ^= 1 + rng.integer(255);
      const outcome = await loadBytes(damaged).then(
        (got) => Buffer.compare(got, bytes.subarray(0, 5000)) === 0,
        (error) => error instanceof FormatError,
      );
      expect(outcome).toBe(true);
    }
  });
});

describe("abort", () => {
  test("before, between chunks and while waiting for the network", async () => {
    await expect(loadBytes(bytes, { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    const between = new AbortController();
    await expect(loadBytes(chunked(), { signal: between.signal, onProgress: () => between.abort() })).rejects.toThrow(
      AbortedError,
    );
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(), 50);
    await expect(loadBytes(`${origin}/slow`, { signal: waiting.signal })).rejects.toThrow(AbortedError);
  });
});

describe("cache", () => {
  test("a second load makes no request; a wrong checksum is never stored; nothing partial stays", async () => {
    const place = join(folder, "cache");
    const cache = directoryCache(place);
    await expect(loadBytes(`${origin}/a`, { cache, sha256: "0".repeat(64) })).rejects.toThrow(FormatError);
    expect(await cache.match(`${origin}/a`)).toBeUndefined();
    await loadBytes(`${origin}/a`, { cache, sha256: digest });
    const before = requests;
    expect(Buffer.compare(await loadBytes(`${origin}/a`, { cache, sha256: digest }), bytes)).toBe(0);
    expect(requests).toBe(before);
    const [entry] = await readdir(place);
    await writeFile(join(place, entry), "rotten");
    expect(Buffer.compare(await loadBytes(`${origin}/a`, { cache, sha256: digest }), bytes)).toBe(0);
    expect(requests).toBe(before + 1);
    expect((await readdir(place)).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
  });
});

test("no source file imports Node's modules at load, and only one does at all", async () => {
  const root = new URL("../src/", import.meta.url);
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(20);
  for (const name of files) {
    const text = await readFile(new URL(name, root), "utf8");
    expect(text, name).not.toMatch(/^(import|export) .*from "node:/m);
    if (!name.endsWith("nodeFiles.ts")) expect(text, name).not.toContain('"node:');
  }
});
