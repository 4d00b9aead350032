import { afterEach, expect, test } from "vitest";
import {
  cachedSource,
  handleSource,
  memorySource,
  openCache,
  openSource,
  serializeSafetensors,
  openWeights,
  storeBytes,
  storedBytes,
} from "../../src/index.ts";

const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) >> 3);
const root = (): Promise<FileSystemDirectoryHandle> => navigator.storage.getDirectory();

afterEach(async () => {
  for await (const name of (await root()).keys()) await (await root()).removeEntry(name, { recursive: true });
});

async function names(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const found: string[] = [];
  for await (const name of folder.keys()) found.push(name);
  return found;
}

test("a page's cache is its private file system: files come back whole and in parts, and are asked for once", async () => {
  let streams = 0;
  const inner = memorySource({ "x.bin": data });
  const counted = { ...inner, name: inner.name, size: inner.size.bind(inner), read: inner.read.bind(inner) };
  const source = Object.assign(counted, {
    stream: (...args: Parameters<typeof inner.stream>) => {
      streams++;
      return inner.stream(...args);
    },
  });
  for (let round = 0; round < 2; round++) {
    const cached = cachedSource(source, openCache);
    expect(await cached.read("x.bin", { start: 70_000, end: 70_010 })).toEqual(data.slice(70_000, 70_010));
    expect(await cached.read("x.bin")).toEqual(data);
  }
  expect(streams).toBe(1);
  const folder = await (await root()).getDirectoryHandle("statespace");
  expect(await names(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test("a load that is left half-way leaves nothing", async () => {
  const cached = cachedSource(memorySource({ "x.bin": new Blob([data, data]) }), openCache);
  for await (const _chunk of (await cached.stream("x.bin"))?.chunks ?? []) break;
  expect(await names(await (await root()).getDirectoryHandle("statespace"))).toEqual([]);
});

test("bytes are stored under a name and come back; a second time replaces them", async () => {
  for (const bytes of [data, data.slice(0, 10)]) {
    await storeBytes("chat.safetensors", bytes);
    expect(await storedBytes("chat.safetensors")).toEqual(bytes);
  }
  expect(await names(await root())).toEqual(["chat.safetensors"]);
  await expect(storedBytes("other")).rejects.toThrow("other: nothing is stored under this name");
  await expect(storeBytes("a/b", data)).rejects.toThrow(/file name must stay/);
});

test("a folder handle is a source: a checkpoint opens from it, missing files are undefined, a folder is told", async () => {
  const folder = await (await root()).getDirectoryHandle("model", { create: true });
  await folder.getDirectoryHandle("sub", { create: true });
  const writable = await (await folder.getFileHandle("model.safetensors", { create: true })).createWritable();
  await writable.write(serializeSafetensors(new Map([["w", { shape: [2], values: Float32Array.of(1, 2) }]])));
  await writable.close();
  const weights = await openWeights(openSource(folder));
  expect(weights.entries.get("w")).toMatchObject({ dtype: "F32", shape: [2] });
  expect(await handleSource(folder).read("nothing.json")).toBeUndefined();
  await expect(handleSource(folder).read("sub")).rejects.toThrow(/sub: is a folder in model/);
});
