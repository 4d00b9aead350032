import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ShapeError } from "@statespace/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  folderSource,
  memorySource,
  openSafetensors,
  parseSafetensors,
  saveCheckpoint,
  serializeSafetensors,
  toFloat32Array,
  type FloatTensor,
  type LazyTensor,
  type Source,
} from "../src/index.ts";

/** Of sizes around those of a file's chunks, and one without elements. */
const SIZES: Readonly<Record<string, number>> = { a: 1_500_000, b: 1, c: 0, d: 700_001, e: 2_000_000, f: 3 };
const tensors = new Map<string, FloatTensor>(
  Object.entries(SIZES).map(([name, size], k) => [
    name,
    { shape: [size], values: Float32Array.from({ length: size }, (_, i) => k + i) },
  ]),
);
const file = serializeSafetensors(tensors);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "statespace-pieces-"));
  await writeFile(join(folder, "w.safetensors"), file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(["folder", "memory", "blob"])("the pieces of a file, from a %s", (kind) => {
  const source = (): Source =>
    kind === "folder"
      ? folderSource(folder)
      : memorySource({ "w.safetensors": kind === "blob" ? new Blob([file]) : file });

  it("are all its bytes, each tensor's in order, and never more than a chunk at once", async () => {
    const opened = (await openSafetensors(source(), "w.safetensors"))!;
    const found = new Map<string, { bytes: Uint8Array; next: number }>();
    for await (const { name, begin, bytes } of opened.pieces()) {
      const tensor = found.get(name) ?? { bytes: new Uint8Array(opened.entries.get(name)!.byteLength), next: 0 };
      found.set(name, tensor);
      expect(begin).toBe(tensor.next);
      expect(bytes.byteLength).toBeLessThanOrEqual(4 << 20);
      tensor.bytes.set(bytes, begin);
      tensor.next += bytes.byteLength;
    }
    expect([...found.keys()]).toEqual([...opened.entries.keys()]);
    for (const [name, { bytes, next }] of found) {
      expect(next).toBe(4 * SIZES[name]!);
      expect(toFloat32Array({ dtype: "F32", shape: [SIZES[name]!], bytes })).toEqual(tensors.get(name)!.values);
    }
  });

  it("stream as whole tensors in memory of their own", async () => {
    const opened = (await openSafetensors(source(), "w.safetensors"))!;
    const whole = new Map<string, Uint8Array>();
    for await (const [name, { bytes }] of opened.stream()) whole.set(name, bytes);
    expect(new Set([...whole.values()].map(({ buffer }) => buffer)).size).toBe(whole.size);
    for (const [name, bytes] of whole)
      expect(toFloat32Array({ dtype: "F32", shape: [SIZES[name]!], bytes }), name).toEqual(tensors.get(name)!.values);
  });
});

it("a folder's pieces lie in one and the same memory", async () => {
  const opened = (await openSafetensors(folderSource(folder), "w.safetensors"))!;
  const buffers = new Set<ArrayBufferLike>();
  let pieces = 0;
  for await (const { bytes } of opened.pieces()) {
    pieces++;
    if (bytes.byteLength > 0) buffers.add(bytes.buffer);
  }
  expect(pieces).toBeGreaterThan(8);
  expect(buffers.size).toBe(1);
});

describe("tensors that are read when it is their turn", () => {
  it("are written one after the other, as if they had been there", async () => {
    let reading = 0;
    const lazy = new Map<string, LazyTensor>(
      [...tensors].map(([name, { shape, values }]) => [
        name,
        {
          dtype: "F32",
          shape,
          read: async () => {
            expect(++reading).toBe(1);
            await new Promise((resolve) => setTimeout(resolve, 1));
            reading--;
            return new Uint8Array(values.buffer);
          },
        },
      ]),
    );
    const target = join(folder, "saved");
    await saveCheckpoint(target, { config: {}, tensors: lazy });
    expect(new Uint8Array(await readFile(join(target, "model.safetensors")))).toEqual(file);
  });

  it("of another size than they said leave no file", async () => {
    const target = join(folder, "wrong");
    const wrong: LazyTensor = { dtype: "F16", shape: [3], read: () => Promise.resolve(new Uint8Array(4)) };
    const saving = saveCheckpoint(target, { config: {}, tensors: new Map([["w", wrong]]) });
    await expect(saving).rejects.toThrow(ShapeError);
    await expect(saving).rejects.toThrow('tensor "w": shape [3] takes 6 bytes, got 4');
    await expect(readFile(join(target, "model.safetensors"))).rejects.toThrow("ENOENT");
    expect(parseSafetensors(file, "w").tensors.size).toBe(6);
  });
});
