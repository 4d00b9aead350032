import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortedError } from "@statespace/core";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { writeFileResumably, type FileSection } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "statespace-resumable-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "big.bin");
/** Sections of 4 MB; 16 MB at the end of what is found are made anew. */
const SIZE = 4 << 20;
const COUNT = 12;
let made: number[] = [];
beforeEach(() => void (made = []));

function sections(seed: number, before: (i: number) => void = () => undefined): FileSection[] {
  return Array.from({ length: COUNT }, (_, i) => ({
    name: `part ${i}`,
    start: i * SIZE,
    byteLength: SIZE,
    *chunks() {
      before(i);
      made.push(i);
      yield Promise.resolve(new Uint8Array(SIZE).fill(seed + i));
    },
  }));
}
const left = (): string[] => readdirSync(folder).filter((name) => name.endsWith(".part"));
const isWhole = (seed: number): void => {
  const bytes = readFileSync(file);
  expect(bytes.byteLength).toBe(COUNT * SIZE);
  for (let i = 0; i < COUNT; i++) expect([bytes[i * SIZE], bytes[(i + 1) * SIZE - 1]]).toEqual([seed + i, seed + i]);
  expect(left()).toEqual([]);
  rmSync(file);
};
async function stopped(seed: number, at: number, identity = "a"): Promise<void> {
  const stop = new AbortController();
  const going = writeFileResumably(file, sections(seed, (i) => void (i === at && stop.abort())), { identity, signal: stop.signal }); // prettier-ignore
  await expect(going).rejects.toThrow(AbortedError);
  expect(left()).toHaveLength(1);
  expect(statSync(join(folder, left()[0]!)).size).toBe(at * SIZE);
  made = [];
}

describe("writeFileResumably", () => {
  it("writes sections in order, and tells how far it is", async () => {
    const told: number[] = [];
    const progress = ({ loaded, total }: { loaded: number; total: number }): void => void told.push(loaded / total);
    expect(await writeFileResumably(file, sections(1), { identity: "a", progress })).toBe(0);
    expect(told).toEqual(Array.from({ length: COUNT }, (_, i) => (i + 1) / COUNT));
    isWhole(1);
  });

  it("goes on after the last section that is surely whole, and looks at some of those before it", async () => {
    await stopped(1, 9);
    expect(await writeFileResumably(file, sections(1), { identity: "a" })).toBe(5 * SIZE);
    expect(made).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    isWhole(1);
  });

  it("begins anew where what is made is no more the same, or is another thing", async () => {
    await stopped(1, 9);
    expect(await writeFileResumably(file, sections(2), { identity: "a" })).toBe(0);
    isWhole(2);
    await stopped(1, 9);
    expect(await writeFileResumably(file, sections(3), { identity: "b" })).toBe(0);
    isWhole(3);
  });

  it("two at once have a file each", async () => {
    const both = await Promise.all([1, 1].map((seed) => writeFileResumably(file, sections(seed), { identity: "a" })));
    expect(both).toEqual([0, 0]);
    isWhole(1);
  });

  it("what fails leaves nothing", async () => {
    const fails = sections(1, (i) => {
      if (i === 9) throw new RangeError("no more");
    });
    await expect(writeFileResumably(file, fails, { identity: "a" })).rejects.toThrow(RangeError);
    expect(readdirSync(folder)).toEqual([]);
  });
});
