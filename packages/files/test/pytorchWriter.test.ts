import { crc32 } from "node:zlib";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortedError, ArgumentError, FormatError, ShapeError } from "@statespace/core";
import { afterAll, describe, expect, test } from "vitest";
import {
  folderSource,
  layoutPytorch,
  memorySource,
  openPytorch,
  openWeights,
  saveCheckpoint,
  type LazyTensor,
  type WritableTensor,
} from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "statespace-pytorch-"));
afterAll(() => rmSync(folder, { recursive: true }));
const values = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
const half = Uint8Array.of(0x80, 0x3f, 0, 0x40);
const tensors = (): Map<string, WritableTensor | LazyTensor> =>
  new Map<string, WritableTensor | LazyTensor>([
    ["backbone.embedding.weight", { shape: [5, 3], values: values(15) }],
    ["scalar", { shape: [], values: Float32Array.of(7) }],
    ["empty", { shape: [0, 4], values: new Float32Array(0) }],
    ["raw", { dtype: "I64", shape: [1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    ["lazy", { dtype: "BF16", shape: [2], parts: 2, read: async (part) => half.slice(2 * part, 2 * part + 2) }],
  ]);

async function bytesOf(layout: ReturnType<typeof layoutPytorch>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const chunk of layout.chunks()) parts.push(await chunk);
  return new Uint8Array(Buffer.concat(parts));
}

describe("layoutPytorch", () => {
  test("is read back tensor by tensor, a shared name too", async () => {
    const layout = layoutPytorch(tensors(), { shared: { "lm_head.weight": "backbone.embedding.weight" } });
    const bytes = await bytesOf(layout);
    expect(bytes.byteLength).toBe(layout.byteLength);
    const file = (await openPytorch(memorySource({ "x.bin": bytes }), "x.bin"))!;
    const embedding = { dtype: "F32", shape: [5, 3], bytes: new Uint8Array(values(15).buffer) };
    expect([...file.entries.keys()].sort()).toEqual(["backbone.embedding.weight", "empty", "lazy", "lm_head.weight", "raw", "scalar"]); // prettier-ignore
    expect(await file.read("backbone.embedding.weight")).toEqual(embedding);
    expect(await file.read("lm_head.weight")).toEqual(embedding);
    expect(await file.read("scalar")).toEqual({ dtype: "F32", shape: [], bytes: new Uint8Array(Float32Array.of(7).buffer) }); // prettier-ignore
    expect(await file.read("raw")).toEqual({ dtype: "I64", shape: [1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    expect(await file.read("lazy")).toEqual({ dtype: "BF16", shape: [2], bytes: half });
    // Both names are the same bytes: an embedding is not there twice.
    expect(bytes.byteLength - layoutPytorch(tensors()).byteLength).toBeLessThan(256);
  });

  test("has the right sum of every file, and every storage at a multiple of 64 bytes", async () => {
    const bytes = await bytesOf(layoutPytorch(tensors()));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = view.getUint32(bytes.byteLength - 6, true);
    const names: string[] = [];
    while (view.getUint32(at, true) === 0x02014b50) {
      const [sum, size, named] = [view.getUint32(at + 16, true), view.getUint32(at + 24, true), view.getUint16(at + 28, true)]; // prettier-ignore
      const local = view.getUint32(at + 42, true);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      names.push(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + named)));
      expect(start % 64, names.at(-1)).toBe(0);
      expect(crc32(bytes.subarray(start, start + size)), names.at(-1)).toBe(sum);
      at += 46 + named + view.getUint16(at + 30, true);
    }
    expect(names).toEqual(["data.pkl", "byteorder", "data/0", "data/1", "data/2", "data/3", "data/4", "version"].map((name) => `archive/${name}`)); // prettier-ignore
  });

  test("refuses what PyTorch has no storage of, shapes that lie, and a name that shares nothing", async () => {
    const one = (tensor: WritableTensor): Map<string, WritableTensor> => new Map([["w", tensor]]);
    expect(() => layoutPytorch(one({ dtype: "F8_E4M3", shape: [1], bytes: new Uint8Array(1) }))).toThrow(ArgumentError);
    expect(() => layoutPytorch(one({ shape: [-1], values: new Float32Array(0) }))).toThrow(FormatError);
    await expect(bytesOf(layoutPytorch(one({ shape: [3], values: new Float32Array(2) })))).rejects.toThrow(ShapeError);
    expect(() => layoutPytorch(tensors(), { shared: { head: "nothing" } })).toThrow(/"head" .* "nothing"/);
    expect(() => layoutPytorch(tensors(), { shared: { lazy: "raw" } })).toThrow(ArgumentError);
  });
});

describe("saveCheckpoint as pytorch", () => {
  test("is what openWeights reads, and is refused beside safetensors, which would be read in its place", async () => {
    const to = join(folder, "saved");
    await saveCheckpoint(to, { config: {}, tensors: tensors() }, { format: "pytorch" });
    expect(readdirSync(to).sort()).toEqual(["config.json", "pytorch_model.bin"]);
    expect((await (await openWeights(folderSource(to))).read("lazy")).bytes).toEqual(half);
    writeFileSync(join(to, "model.safetensors"), "");
    await expect(saveCheckpoint(to, { config: {}, tensors: tensors() }, { format: "pytorch" })).rejects.toThrow(
      /has a model.safetensors already/,
    );
  });

  test("goes on after it was stopped, with the sums of what was there", async () => {
    const many = (): Map<string, LazyTensor> =>
      new Map(
        Array.from({ length: 12 }, (_, i) => [
          `w${i}`,
          { dtype: "F32", shape: [1 << 20], read: async () => new Uint8Array(4 << 20).fill(i + 1) },
        ]),
      );
    const stop = new AbortController();
    const save = (to: string, signal?: AbortSignal): Promise<number> =>
      saveCheckpoint(
        join(folder, to),
        { config: {}, tensors: many() },
        {
          format: "pytorch",
          ...(signal === undefined ? {} : { signal }),
          resumable: { identity: "same", progress: ({ section }) => (section === "w10" ? stop.abort() : undefined) },
        },
      );
    await expect(save("resumed", stop.signal)).rejects.toThrow(AbortedError);
    expect(readdirSync(join(folder, "resumed")).join()).toMatch(/^pytorch_model\.bin\.[0-9a-f]{16}\.\d+\.part$/);
    expect(await save("resumed")).toBeGreaterThan(16 << 20);
    expect(await save("at-once")).toBe(0);
    const file = (name: string): Buffer => readFileSync(join(folder, name, "pytorch_model.bin"));
    expect(file("resumed").equals(file("at-once"))).toBe(true);
  });
});
