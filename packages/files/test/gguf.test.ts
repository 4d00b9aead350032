import { readFileSync } from "node:fs";
import { FormatError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  GgufStrings,
  memorySource,
  openGguf,
  parseSafetensors,
  quantize,
  toFloat32Array,
  type GgufFile,
  type Source,
} from "../src/index.ts";
import { GgufBytes } from "./ggufFile.ts";

const golden = new URL("../../conformance/golden/gguf/", import.meta.url);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, golden)));

async function open(bytes: Uint8Array): Promise<GgufFile> {
  return (await openGguf(memorySource({ "x.gguf": bytes }), "x.gguf"))!;
}

describe("what the gguf package of Python wrote", () => {
  test("every block type has the same values, bit for bit", async () => {
    const file = await open(bytesOf("blocks.gguf"));
    const { tensors } = parseSafetensors(bytesOf("values.safetensors"));
    expect([...file.entries.keys()].sort()).toEqual([...tensors.keys()].sort());
    const bits = (values: Float32Array): Uint32Array =>
      new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (const [name, expected] of tensors) {
      const tensor = await file.read(name);
      expect(tensor.shape, name).toEqual(expected.shape);
      expect(bits(toFloat32Array(tensor)), name).toEqual(bits(toFloat32Array(expected)));
    }
  });

  test("the same rows become the same blocks, byte for byte", async () => {
    const file = await open(bytesOf("quantized.gguf"));
    const rows = toFloat32Array(await file.read("F32"));
    for (const type of ["Q8_0", "Q4_0"] as const)
      expect(Buffer.compare(quantize(type, rows), (await file.read(type)).bytes), type).toBe(0);
  });

  test("version 2 reads the same as 3", async () => {
    const bytes = bytesOf("blocks.gguf");
    bytes[4] = 2;
    expect((await open(bytes)).entries).toEqual((await open(bytesOf("blocks.gguf"))).entries);
  });

  test("metadata of every type, another alignment, integers", async () => {
    const file = await open(bytesOf("metadata.gguf"));
    const values = Object.fromEntries(
      [...file.values].map(([key, { value }]) => [key, value instanceof GgufStrings ? value.toArray() : value]),
    );
    expect(values).toMatchObject({
      "of.uint8": 255,
      "of.int8": -128,
      "of.uint16": 65535,
      "of.int16": -32768,
      "of.uint32": 2 ** 32 - 1,
      "of.int32": -(2 ** 31),
      "of.uint64": 2n ** 64n - 1n,
      "of.int64": -(2 ** 40),
      "of.float32": Math.fround(0.1),
      "of.float64": 0.1,
      "of.bool": true,
      "of.string": "ein Wörterbuch\n",
      "list.int32": Int32Array.of(1, -2, 3),
      "list.float32": Float32Array.of(0.5, -1.5),
      "list.string": ["", "a", "日本"],
      "list.bool": Uint8Array.of(1, 0),
      "general.alignment": 64,
    });
    expect(file.metadata.get("of.string")).toBe("ein Wörterbuch\n");
    expect([...toFloat32Array(await file.read("one"))]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(file.entries.get("one")!.shape).toEqual([2, 3]);
    expect(await file.read("two")).toMatchObject({ dtype: "I32", shape: [4] });
  });

  test("a stream of pieces has the bytes that single reads have", async () => {
    const file = await open(bytesOf("blocks.gguf"));
    let count = 0;
    for await (const [name, tensor] of file.stream()) {
      expect(tensor).toEqual(await file.read(name));
      count++;
    }
    expect(count).toBe(file.entries.size);
  });
});

describe("reading in ranges", () => {
  /** Counts the bytes that are asked for. */
  function counted(inner: Source): Source & { readonly reads: [number, number][] } {
    const reads: [number, number][] = [];
    return {
      reads,
      name: inner.name,
      size: (file, options) => inner.size(file, options),
      stream: (file, options) => inner.stream(file, options),
      read(file, options = {}) {
        reads.push([options.start ?? 0, options.end ?? Infinity]);
        return inner.read(file, options);
      },
    };
  }

  test("a long vocabulary is fetched in growing pieces; the tensors are not", async () => {
    const tokens = 300_000;
    const bytes = new GgufBytes().header(1, 1).text("tokenizer.ggml.tokens").u32(9).u32(8).u64(tokens);
    for (let i = 0; i < tokens; i++) bytes.text(`token ${i}`);
    const file = bytes
      .tensor("big", [1 << 20, 16], 0, 0)
      .data(1 << 26)
      .file();
    const source = counted(memorySource({ "x.gguf": file }));
    const opened = (await openGguf(source, "x.gguf"))!;
    const list = opened.values.get("tokenizer.ggml.tokens")!.value as GgufStrings;
    expect(list.length).toBe(tokens);
    expect(list.at(299_999)).toBe("token 299999");
    expect(Math.max(...source.reads.map(([, end]) => end))).toBeLessThan(20 << 20);
  });

  test("parts of a split file are one; a part that is missing or another's is told", async () => {
    const part = (no: number, count: number, name: string): Uint8Array =>
      new GgufBytes()
        .header(1, 2)
        .text("split.no")
        .u32(2)
        .raw(no, 0)
        .text("split.count")
        .u32(2)
        .raw(count, 0)
        .tensor(name, [4], 0, 0)
        .data(16)
        .file();
    const [one, two] = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"] as const;
    const file = await openGguf(memorySource({ [one]: part(0, 2, "a"), [two]: part(1, 2, "b") }), one);
    expect([...file!.entries.keys()]).toEqual(["a", "b"]);
    expect(file!.entries.get("b")!.file).toBe(two);
    expect((await file!.read("b")).bytes.byteLength).toBe(16);
    const fails = (files: Record<string, Uint8Array>, name: string = one): Promise<unknown> =>
      openGguf(memorySource(files), name);
    await expect(fails({ [one]: part(0, 2, "a") })).rejects.toThrow(`part "${two}"`);
    await expect(fails({ [one]: part(0, 2, "a"), [two]: part(0, 2, "b") })).rejects.toThrow('"split.no"');
    await expect(fails({ [one]: part(0, 2, "a"), [two]: part(1, 2, "a") })).rejects.toThrow('tensor "a" is in');
    await expect(fails({ [one]: part(0, 2, "a"), [two]: part(1, 2, "b") }, two)).rejects.toThrow(`open ${one}`);
    await expect(fails({ "m.gguf": part(0, 2, "a") }, "m.gguf")).rejects.toThrow("-00001-of-00002.gguf");
  });

  test("no such file is undefined", async () => {
    expect(await openGguf(memorySource({}), "x.gguf")).toBeUndefined();
  });
});

describe("what is wrong is told by name", () => {
  const start = (tensors: number | bigint = 0, values: number | bigint = 0): GgufBytes =>
    new GgufBytes().header(tensors, values);
  const cases: Record<string, [file: Uint8Array, message: RegExp]> = {
    "another kind of file": [new Uint8Array(100), /must begin with "GGUF"/],
    "a page": [new TextEncoder().encode(`<!doctype html>${" ".repeat(99)}`), /an HTML page stands in its place/],
    "version 1": [new GgufBytes().header(0, 0, 1).file(), /version must be 2 or 3, got 1 \(write/],
    "big-endian": [new GgufBytes().header(0, 0, 3 << 24).file(), /3 in big-endian order/],
    "an empty file": [new Uint8Array(0), /magic ends beyond the end of the file/],
    "more tensors than bytes": [start(2n ** 60n).file(), /tensor count is too large/],
    "many tensors": [start(1e9).file(), /tensor count is 1000000000, more than the \d+ bytes that follow/],
    "many values": [start(0, 1e9).file(), /metadata count is 1000000000/],
    "an unknown type of value": [start(0, 1).text("k").u32(13).u64(0).file(), /type of "k" must be 0 to 12, got 13/],
    "a list of lists": [start(0, 1).text("k").u32(9).u32(9).u64(1).file(), /"k": lists of lists are not read/],
    "a list that is too long": [start(0, 1).text("k").u32(9).u32(0).u64(1e12).file(), /length of "k" is 1000000000000/],
    "a text that is too long": [start(0, 1).text("k").u32(8).u64(1e12).file(), /length of "k" is 1000000000000/],
    "no truth value": [
      start(0, 1).text("k").u32(7).raw(2).data(32).file(),
      /"k" must be true \(1\) or false \(0\), got 2/,
    ],
    "a key twice": [
      start(0, 2).text("k").u32(0).raw(1).text("k").u32(0).raw(1).data(9).file(),
      /key "k" appears twice/,
    ],
    "a key that is no text": [start(0, 1).u64(1).raw(0xff).u32(0).raw(1).file(), /key 0 must be UTF-8 text/],
    "an empty key": [start(0, 1).u64(0).u32(0).u32(0).file(), /key 0 must have 1 to 65535 bytes, got 0/],
    "a tensor twice": [
      start(2).tensor("t", [8], 0, 0).tensor("t", [8], 0, 32).data(64).file(),
      /tensor "t" appears twice/,
    ],
    "five axes": [start(1).tensor("t", [1, 1, 1, 1, 1], 0, 0).data(4).file(), /at most 4 axes, got 5/],
    "too many elements": [
      start(1)
        .tensor("t", [2n ** 40n, 2n ** 40n], 0, 0)
        .data(4)
        .file(),
      /tensor "t": shape .* has too many elements/,
    ],
    "a size beyond 2^53": [
      start(1)
        .tensor("t", [2n ** 63n], 0, 0)
        .data(4)
        .file(),
      /shape of tensor "t" is too large/,
    ],
    "a type that is not read": [
      start(1).tensor("t", [256], 10, 0).data(99).file(),
      /tensor "t": type Q2_K is not read/,
    ],
    "a type that there is not": [start(1).tensor("t", [256], 99, 0).data(99).file(), /tensor "t": type 99 is not read/],
    "rows that are no blocks": [
      start(1).tensor("t", [33, 2], 8, 0).data(99).file(),
      /rows of Q8_0 must be multiples of 32 elements, got 33/,
    ],
    "an offset between": [start(1).tensor("t", [4], 0, 16).data(64).file(), /offset must be a multiple of 32, got 16/],
    "a truncated tensor": [start(1).tensor("t", [64], 0, 0).data(128).file(), /tensor "t": ends at byte .* truncated/],
    "tensors on each other": [
      start(2).tensor("a", [16], 0, 0).tensor("b", [8], 0, 32).data(64).file(),
      /tensors "a" and "b" overlap/,
    ],
    "an alignment that is none": [
      start(0, 1).text("general.alignment").u32(4).u32(24).file(),
      /"general.alignment" must be a power of two/,
    ],
  };

  for (const [name, [file, message]] of Object.entries(cases))
    test(name, async () => {
      const error: unknown = await open(file).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(message);
      expect((error as FormatError).message).toContain("x.gguf");
    });

  test("a tensor that there is not", async () => {
    await expect((await open(bytesOf("blocks.gguf"))).read("no")).rejects.toThrow('tensor "no" is missing');
  });
});
