import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  asStorageFull,
  cachedSource,
  directoryCache,
  memorySource,
  StorageFullError,
  writeFileAtomically,
  type FileCache,
} from "../src/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "full-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) >> 3);

/** Runs a program on the sources where no file may grow beyond 64 KiB; its output. */
function limited(program: string): string {
  const index = new URL("../src/index.ts", import.meta.url).href;
  const code = `import * as files from ${JSON.stringify(index)}; const folder = ${JSON.stringify(folder)}; ${program}`;
  const shell = 'ulimit -f 128; exec "$0" --conditions=statespace-source --input-type=module -e "$1"'; // blocks of 512 bytes
  return execFileSync("sh", ["-c", shell, process.execPath, code], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", NODE_NO_WARNINGS: "1" },
  });
}

// Windows has no such limits.
describe.skipIf(process.platform === "win32")("a file that no longer fits", () => {
  test("is a typed error; the old file stays, and nothing else is there", async () => {
    await writeFile(join(folder, "model.bin"), "old");
    const told = limited(`
      const error = await files.writeFileAtomically(folder + "/model.bin", [new Uint8Array(50_000), new Uint8Array(250_000)]).catch((error) => error);
      console.log(error.name, error instanceof files.StorageFullError, error.message);
      await files.writeFileAtomically(folder + "/small.bin", [new Uint8Array(10)]);`);
    expect(told).toMatch(/^StorageFullError true .*model\.bin: the file is larger than this system allows \(EFBIG\)/);
    expect(await readFile(join(folder, "model.bin"), "utf8")).toBe("old");
    expect((await readdir(folder)).sort()).toEqual(["model.bin", "small.bin"]);
  });

  test("leaves no part in the cache; the load goes on where the caller says so, and later everything is kept", async () => {
    const told = limited(`
      const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) >> 3);
      const open = (options) => files.cachedSource(files.memorySource({ "x.bin": data }, "here"), files.directoryCache(folder), options);
      const error = await open().read("x.bin").catch((error) => error);
      console.log(error.name);
      const faults = [];
      const bytes = await open({ onPutError: (error) => faults.push(error.name) }).read("x.bin");
      console.log(faults.join(), Buffer.compare(bytes, data));`);
    expect(told).toBe("StorageFullError\nStorageFullError 0\n");
    expect(await readdir(folder)).toEqual([]);
    const source = cachedSource(memorySource({ "x.bin": data }, "here"), directoryCache(folder));
    expect(await source.read("x.bin")).toEqual(data);
    expect(await readdir(folder)).toHaveLength(1);
  });
});

test.each([
  [Object.assign(new Error("write"), { code: "ENOSPC" }), /the disk is full \(ENOSPC\)/],
  [Object.assign(new Error("write"), { code: "EDQUOT" }), /quota is used up/],
  [new DOMException("full", "QuotaExceededError"), /the page's storage is full/],
])("what a cache says when there is no room becomes the typed error: %s", async (cause, message) => {
  const full: FileCache = {
    match: async () => undefined,
    write: async () => ({
      write: async () => {
        throw cause;
      },
      keep: async () => new Blob(),
      drop: async () => undefined,
    }),
  };
  const reading = cachedSource(memorySource({ "x.bin": data }), full).read("x.bin");
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(StorageFullError);
});

test("other errors stay what they are", async () => {
  const error = Object.assign(new Error("no"), { code: "EACCES" });
  expect(asStorageFull(error, "x")).toBe(error);
  expect(asStorageFull("ENOSPC", "x")).toBe("ENOSPC");
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield data;
    throw error;
  };
  await expect(writeFileAtomically(join(folder, "x"), chunks())).rejects.toBe(error);
});
