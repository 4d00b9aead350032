import { createHash } from "node:crypto";
import { Rng } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  cachedSource,
  handleCache,
  memorySource,
  openCheckpoint,
  openSource,
  openWeights,
  readJson,
  SourceError,
} from "../src/index.ts";
import { PlainSha256 } from "../src/sources/sha256.ts";

/** A folder as a page gets it, in memory: a file is replaced when its writer is closed. */
class FakeFolder {
  readonly name: string = "models";
  readonly files = new Map<string, Blob>();

  async getFileHandle(name: string, { create = false } = {}): Promise<FileSystemFileHandle> {
    if (name === "a folder") throw new DOMException("", "TypeMismatchError");
    if (!this.files.has(name) && !create) throw new DOMException("", "NotFoundError");
    if (!this.files.has(name)) this.files.set(name, new Blob());
    const { files } = this;
    const createWritable = async (): Promise<WritableStream<Uint8Array>> => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      const write = async (chunk: Uint8Array): Promise<void> => void parts.push(chunk.slice());
      const close = async (): Promise<void> => void files.set(name, new Blob(parts));
      return Object.assign(new WritableStream<Uint8Array>({ write, close }), { write, close });
    };
    return { getFile: async () => files.get(name), createWritable } as unknown as FileSystemFileHandle;
  }

  async removeEntry(name: string): Promise<void> {
    this.files.delete(name);
  }

  get handle(): FileSystemDirectoryHandle {
    return this as unknown as FileSystemDirectoryHandle;
  }
}

describe("a page's folder", () => {
  test("is read as any other; a folder in a file's place is told", async () => {
    const folder = new FakeFolder();
    folder.files.set("x.json", new Blob(["{}"]));
    const source = openSource(folder.handle);
    expect(source.name).toBe("models");
    expect(await source.read("x.json")).toEqual(Uint8Array.of(0x7b, 0x7d));
    expect(await source.read("x.json", { start: 1, end: 9 })).toEqual(Uint8Array.of(0x7d));
    expect(await source.size("x.json")).toBe(2);
    expect(await source.read("y.json")).toBeUndefined();
    expect(await source.stream("y.json")).toBeUndefined();
    await expect(source.read("a folder")).rejects.toThrow(SourceError);
  });

  test("keeps files whole or not at all", async () => {
    const folder = new FakeFolder();
    const cache = handleCache(folder.handle);
    const source = cachedSource(memorySource({ "x.bin": Uint8Array.of(1, 2, 3) }), cache);
    for await (const _chunk of (await source.stream("x.bin"))?.chunks ?? []) break;
    expect([...folder.files.keys()]).toEqual([]);
    expect(await source.read("x.bin")).toEqual(Uint8Array.of(1, 2, 3));
    expect([...folder.files.keys()]).toEqual([createHash("sha256").update("memory/x.bin").digest("hex")]);
    expect(await (await cache.match("memory/x.bin"))?.arrayBuffer()).toEqual(Uint8Array.of(1, 2, 3).buffer);
  });
});

describe("what stands in place of a file is named", () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
  const page = "<!DOCTYPE html>\n<html><head></head></html>";

  test.each([
    ["model.safetensors", pointer, /model\.safetensors: a Git LFS pointer stands in its place/],
    ["model.safetensors", page, /model\.safetensors: an HTML page stands in its place/],
    ["pytorch_model.bin", pointer, /pytorch_model\.bin: a Git LFS pointer/],
  ])("%s", async (file, text, message) => {
    await expect(openWeights(memorySource({ [file]: text }))).rejects.toThrow(message);
  });

  test("JSON files", async () => {
    await expect(readJson(memorySource({ "a.json": pointer }), "a.json")).rejects.toThrow(/Git LFS pointer/);
    await expect(openCheckpoint(memorySource({ "config.json": page }))).rejects.toThrow(
      /config\.json: not valid JSON: an HTML/,
    );
  });
});

test("SHA-256 in pieces, as pages compute it, is Node's", () => {
  const rng = new Rng(4);
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70_001]) {
    const bytes = Uint8Array.from({ length }, () => rng.integer(256));
    const hash = new PlainSha256();
    for (let at = 0; at < length;) {
      const step = 1 + rng.integer(200);
      hash.update(bytes.subarray(at, at + step));
      at += step;
    }
    expect(hash.hex(), `${length} bytes`).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});
