import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@statespace/core";
import { expect, test } from "vitest";
import { cachedSource, directoryCache, memorySource, urlSource, writeFileResumably } from "../src/index.ts";

const cache = directoryCache("unused");

test.each([
  ["urlSource: fetcher", "fetch", () => urlSource("https://example.org/", { fetcher: fetch } as never)],
  ["urlSource: retry", "retries", () => urlSource("https://example.org/", { retry: 3 } as never)],
  ["cachedSource: prefix", "keyPrefix", () => cachedSource(memorySource({}), cache, { prefix: "a" } as never)],
  ["cachedSource: signal", "", () => cachedSource(memorySource({}), cache, { signal: undefined } as never)],
])("%s is no option, and is not passed over", (name, meant, call) => {
  expect(call).toThrow(ArgumentError);
  expect(call).toThrow(name.split(": ")[1]!);
  expect(call).toThrow(meant);
});

test("writeFileResumably refuses an option that it does not know before it writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "statespace-options-"));
  const options = { identity: "x", onProgress: () => undefined } as never;
  await expect(writeFileResumably(join(folder, "file"), [], options)).rejects.toThrow(/onProgress.*progress/);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
