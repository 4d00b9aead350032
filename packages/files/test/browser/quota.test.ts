import { afterEach, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { cachedSource, memorySource, openCache, StorageFullError, storeBytes, storedBytes } from "../../src/index.ts";

const data = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 31) >> 3);
const root = (): Promise<FileSystemDirectoryHandle> => navigator.storage.getDirectory();

/** What Chromium's debugging protocol takes. */
interface Quota {
  send(method: "Storage.overrideQuotaForOrigin", params: { origin: string; quotaSize?: number }): Promise<unknown>;
}
const allow = (quotaSize?: number): Promise<unknown> =>
  (cdp() as unknown as Quota).send("Storage.overrideQuotaForOrigin", {
    origin: location.origin,
    ...(quotaSize !== undefined && { quotaSize }),
  });

async function names(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const found: string[] = [];
  for await (const name of folder.keys()) found.push(name);
  return found;
}

afterEach(async () => {
  await allow();
  for await (const name of (await root()).keys()) await (await root()).removeEntry(name, { recursive: true });
});

test("a page whose storage is full: a typed error, nothing under the name, and what was there stays", async () => {
  await storeBytes("kept", data.slice(0, 10));
  await allow(100_000);
  for (const name of ["new", "kept"]) {
    const storing = storeBytes(name, data);
    await expect(storing).rejects.toThrow(StorageFullError);
    await expect(storing).rejects.toThrow(/the page's storage is full/);
  }
  expect(await names(await root())).toEqual(["kept"]);
  expect(await storedBytes("kept")).toEqual(data.slice(0, 10));
  await allow();
  await storeBytes("new", data);
  expect(await storedBytes("new")).toEqual(data);
});

test("a download that the cache has no room for leaves nothing there, goes on where the caller says so, and is kept later", async () => {
  const open = (options?: { onPutError(error: unknown): void }): ReturnType<typeof cachedSource> =>
    cachedSource(memorySource({ "x.bin": data }, "here"), openCache, options);
  // The room for the file that is written first, and none for its copy in place.
  for (const quota of [100_000, 3_000_000]) {
    await allow(quota);
    await expect(open().read("x.bin")).rejects.toThrow(StorageFullError);
    const folder = await (await root()).getDirectoryHandle("statespace");
    expect(await names(folder)).toEqual([]);
    const faults: unknown[] = [];
    expect(await open({ onPutError: (error) => faults.push(error) }).read("x.bin")).toEqual(data);
    expect(faults).toEqual([expect.any(StorageFullError)]);
    expect(await names(folder)).toEqual([]);
  }
  await allow();
  const source = open();
  expect(await source.read("x.bin")).toEqual(data);
  expect(await names(await (await root()).getDirectoryHandle("statespace"))).toHaveLength(1);
});
