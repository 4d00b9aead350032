import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { zipBlob } from "../src/index.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const FILES = new Map([
  ["config.json", encode("{}\n")],
  ["诗.txt", encode("床前明月光")],
  ["empty", new Uint8Array(0)],
  ["model.safetensors", Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff)],
]);

test("an archive can be taken from its start, file by file: sums and sizes stand before the bytes", async () => {
  const blob = await zipBlob(FILES);
  expect(blob.type).toBe("application/zip");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  let at = 0;
  const places = new Map<string, number>();
  for (const [name, content] of FILES) {
    expect(view.getUint32(at, true)).toBe(0x04034b50);
    expect(view.getUint16(at + 6, true)).toBe(0x0800); // nothing behind the bytes, names in UTF-8
    expect(view.getUint32(at + 14, true)).toBe(crc32(content));
    expect([view.getUint32(at + 18, true), view.getUint32(at + 22, true)]).toEqual([content.length, content.length]);
    const [named, extra] = [view.getUint16(at + 26, true), view.getUint16(at + 28, true)];
    expect(new TextDecoder().decode(bytes.subarray(at + 30, at + 30 + named))).toBe(name);
    places.set(name, at);
    at += 30 + named + extra;
    expect(bytes.slice(at, at + content.length)).toEqual(content);
    at += content.length;
  }
  // the directory says the same
  const directory = at;
  for (const [name, content] of FILES) {
    expect(view.getUint32(at, true)).toBe(0x02014b50);
    expect(view.getUint16(at + 8, true)).toBe(0x0800);
    expect(view.getUint32(at + 16, true)).toBe(crc32(content));
    expect(view.getUint32(at + 24, true)).toBe(content.length);
    expect(view.getUint32(at + 42, true)).toBe(places.get(name));
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true);
  }
  const end = bytes.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  expect([view.getUint16(end + 10, true), view.getUint32(end + 12, true), view.getUint32(end + 16, true)]).toEqual([
    FILES.size,
    at - directory,
    directory,
  ]);
});

test("the same files make the same archive; none make an empty one", async () => {
  const [one, two] = await Promise.all([zipBlob(FILES), zipBlob([...FILES])]);
  expect(await one.arrayBuffer()).toEqual(await two.arrayBuffer());
  expect((await zipBlob([])).size).toBe(98);
});
