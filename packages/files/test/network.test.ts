import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortedError, ArgumentError, FormatError } from "@statespace/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  directoryCache,
  loadBytes,
  openCache,
  openSource,
  type Source,
  SourceError,
  urlSource,
  verifiedSource,
} from "../src/index.ts";

const data = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 31) >> 2);
const sum = createHash("sha256").update(data).digest("hex");

interface Ask {
  readonly url: string;
  readonly range: string | undefined;
}

/** A `fetch` that notes what it is asked, and answers in turn as told; the last answer is repeated. */
function answering(asked: Ask[], ...answers: ((range: string | undefined) => Response | Error)[]): typeof fetch {
  return async (input, init) => {
    const range = (init?.headers as Record<string, string> | undefined)?.["Range"];
    asked.push({ url: String(input), range });
    const answer = (answers[Math.min(asked.length, answers.length) - 1] as (typeof answers)[0])(range);
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

/** The bytes, or the part of them that is asked for, as a server with ranges answers; `breakAfter` bytes of it come. */
function serve(range: string | undefined, breakAfter = Infinity, etag = "1"): Response {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const [start, end] = [Number(first ?? 0), last ? Number(last) + 1 : data.length];
  const body = data.slice(start, Math.min(end, start + breakAfter));
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(body);
      if (start + breakAfter >= end) controller.close();
    },
    pull(controller) {
      controller.error(new Error("cut"));
    },
  });
  const headers = {
    "content-length": String(end - start),
    "content-range": `bytes ${start}-${end - 1}/${data.length}`,
    etag,
  };
  return new Response(stream, { status: range === undefined ? 200 : 206, headers });
}

const busy = (): Response => new Response("later", { status: 503, headers: { "retry-after": "0.01" } });

describe("retries", () => {
  test("what may pass is tried again: a busy server, a network that fails", async () => {
    const asked: Ask[] = [];
    const source = urlSource("http://host/", {
      fetch: answering(
        asked,
        busy,
        () => new Error("down"),
        () => serve(undefined),
      ),
    });
    expect(await source.read("x")).toEqual(data);
    expect(asked.length).toBe(3);
  });

  test("not more often than told, and not for what stays", async () => {
    const asked: Ask[] = [];
    await expect(urlSource("http://host/", { fetch: answering(asked, busy), retries: 1 }).read("x")).rejects.toThrow(
      /HTTP 503/,
    );
    expect(asked.length).toBe(2);
    const denied = (): Response => new Response("", { status: 403 });
    await expect(urlSource("http://host/", { fetch: answering(asked, denied) }).read("x")).rejects.toThrow(
      /403.*private/,
    );
    expect(asked.length).toBe(3);
  });

  test("a transfer that breaks off goes on where it was, a part of a file too", async () => {
    const asked: Ask[] = [];
    const breaking = answering(
      asked,
      (range) => serve(range, 4000),
      (range) => serve(range),
    );
    expect(await urlSource("http://host/", { fetch: breaking }).read("x")).toEqual(data);
    expect(asked.map(({ range }) => range)).toEqual([undefined, "bytes=4000-"]);
    asked.length = 0;
    expect(await urlSource("http://host/", { fetch: breaking }).read("x", { start: 100, end: 9000 })).toEqual(
      data.slice(100, 9000),
    );
    expect(asked.map(({ range }) => range)).toEqual(["bytes=100-8999", "bytes=4100-8999"]);
    asked.length = 0;
    expect(await loadBytes("http://host/x", { fetch: breaking, sha256: sum })).toEqual(data);
  });

  test("but not with another file's bytes", async () => {
    const asked: Ask[] = [];
    const changed = answering(
      asked,
      (range) => serve(range, 4000),
      (range) => serve(range, Infinity, "2"),
    );
    await expect(urlSource("http://host/", { fetch: changed }).read("x")).rejects.toThrow(/broke off after 4000 bytes/);
  });

  test("an abort ends the waiting", async () => {
    const controller = new AbortController();
    const slow = (): Response => new Response("", { status: 503, headers: { "retry-after": "9" } });
    setTimeout(() => controller.abort(), 20);
    const read = urlSource("http://host/", { fetch: answering([], slow) }).read("x", { signal: controller.signal });
    await expect(read).rejects.toThrow(AbortedError);
  });
});

describe("the hub", () => {
  const at = async (from: string | URL, options = {}): Promise<string> => {
    const asked: Ask[] = [];
    await openSource(from, { fetch: answering(asked, () => serve(undefined)), cache: false, ...options }).read(
      "config.json",
    );
    return (asked[0] as Ask).url;
  };

  test.each([
    ["state-spaces/mamba-130m-hf", "https://huggingface.co/state-spaces/mamba-130m-hf/resolve/main/config.json"],
    ["hf:a/b.c-d_e", "https://huggingface.co/a/b.c-d_e/resolve/main/config.json"],
    ["datasets/a/b", "https://huggingface.co/datasets/a/b/resolve/main/config.json"],
    ["https://huggingface.co/a/b", "https://huggingface.co/a/b/resolve/main/config.json"],
    ["https://huggingface.co/a/b/tree/v2/sub", "https://huggingface.co/a/b/resolve/v2/sub/config.json"],
    ["https://huggingface.co/a/b/blob/main/model.safetensors", "https://huggingface.co/a/b/resolve/main/config.json"],
    ["https://huggingface.co/a/b/resolve/main/", "https://huggingface.co/a/b/resolve/main/config.json"],
    ["https://other.example/a/b", "https://other.example/a/b/config.json"],
  ])("%s", async (from, url) => {
    expect(await at(from)).toBe(url);
  });

  test("a revision, a mirror; a folder of that name comes first", async () => {
    expect(await at("a/b", { revision: "refs/pr/1", hub: "https://mirror.example/" })).toBe(
      "https://mirror.example/a/b/resolve/refs%2Fpr%2F1/config.json",
    );
    expect(await openSource("packages/files").read("package.json")).toBeDefined();
    expect(await at("hf:packages/files")).toContain("huggingface.co/packages/files/");
  });

  test("a mistyped path is told as one, beside the hub's answer", async () => {
    const denied = { fetch: answering([], () => new Response("", { status: 401 })), cache: false as const };
    await expect(openSource("models/tinny", denied).read("x")).rejects.toThrow(
      /no folder "models\/tinny" here.* answered HTTP 401/,
    );
    await expect(openSource("hf:models/tinny", denied).read("x")).rejects.toThrow(/^x: https:\S+ answered HTTP 401/);
  });

  test("a page about a file of a data set is the file", async () => {
    const asked: Ask[] = [];
    const load = loadBytes("https://huggingface.co/datasets/a/b/blob/main/data/x.csv", {
      fetch: answering(asked, () => serve(undefined)),
    });
    expect(await load).toEqual(data);
    expect((asked[0] as Ask).url).toBe("https://huggingface.co/datasets/a/b/resolve/main/data/x.csv");
  });
});

describe("with a folder", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "statespace-"))));
  afterEach(async () => {
    delete process.env["STATESPACE_CACHE"];
    await rm(folder, { recursive: true });
  });

  test("what has a hub name is kept in the user's cache folder, and asked for once", async () => {
    process.env["STATESPACE_CACHE"] = folder;
    const asked: Ask[] = [];
    const options = { fetch: answering(asked, () => serve(undefined)) };
    const read = (): Promise<Uint8Array | undefined> =>
      openSource("some-owner/some-name", options).read("x", { start: 5, end: 9 });
    expect(await read()).toEqual(data.slice(5, 9));
    expect(await read()).toEqual(data.slice(5, 9));
    expect(asked.length).toBe(1);
    expect(await (await openCache()).match("https://huggingface.co/some-owner/some-name/resolve/main/x")).toBeDefined();
  });

  test("a cache of files: whole or not at all, the rest is removed", async () => {
    const cache = directoryCache(join(folder, "deep", "cache"));
    const dropped = await cache.write("a");
    await dropped.write(data);
    expect(await cache.match("a")).toBeUndefined();
    await dropped.drop();
    const kept = await cache.write("a");
    await kept.write(data.slice(0, 7));
    await kept.write(data.slice(7));
    expect(new Uint8Array(await (await kept.keep()).arrayBuffer())).toEqual(data);
    expect(new Uint8Array(await ((await cache.match("a")) as Blob).arrayBuffer())).toEqual(data);
    expect(await readdir(join(folder, "deep", "cache"))).toEqual([createHash("sha256").update("a").digest("hex")]);
  });

  test("integrity is checked before anything is kept", async () => {
    const cache = directoryCache(folder);
    const fetched = { fetch: answering([], () => serve(undefined)), cache };
    const wrong = openSource("http://host/", { ...fetched, integrity: { x: { sha256: "0".repeat(64) } } });
    await expect(wrong.read("x")).rejects.toThrow(/x: SHA-256 must be 0000.*, got/);
    expect(await readdir(folder)).toEqual([]);
    const right = openSource("http://host/", { ...fetched, integrity: { x: { sha256: sum, size: data.length } } });
    expect(await right.read("x")).toEqual(data);
    expect((await readdir(folder)).length).toBe(1);
  });

  test("a cache that cannot be opened is told, or passed over where the caller takes that", async () => {
    const cache = (): Promise<never> => Promise.reject(new Error("private window"));
    const fetched = { fetch: answering([], () => serve(undefined)), cache };
    await expect(openSource("http://host/", fetched).read("x")).rejects.toThrow(SourceError);
    const errors: unknown[] = [];
    const source = openSource("http://host/", { ...fetched, onPutError: (error) => void errors.push(error) });
    expect(await source.read("x", { start: 1, end: 3 })).toEqual(data.slice(1, 3));
    expect(await source.read("x")).toEqual(data);
    expect(errors.length).toBe(1);
  });
});

describe("verifiedSource", () => {
  const inner = openSource({ x: data, y: data });
  const checked = (size: number): Source => verifiedSource(inner, { x: { size } });

  test("size and sum, read and streamed; other files pass", async () => {
    expect(await checked(10_000).read("x")).toEqual(data);
    await expect(checked(9_999).read("x")).rejects.toThrow(/x: must have 9999 bytes, got 10000/);
    await expect(checked(9_999).size("x")).rejects.toThrow(FormatError);
    expect(await checked(9_999).read("y")).toEqual(data);
    expect(await checked(9_999).read("nothing")).toBeUndefined();
    const streamed = await verifiedSource(inner, { x: { sha256: "1".repeat(64) } }).stream("x");
    const drain = async (): Promise<void> => {
      for await (const _chunk of streamed?.chunks ?? []);
    };
    await expect(drain()).rejects.toThrow(FormatError);
    expect(() => verifiedSource(inner, { x: { sha256: "xyz" } })).toThrow(ArgumentError);
  });
});
