import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AbortedError, FormatError, ShapeError } from "@statespace/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  checkpointBlobs,
  type FileMap,
  folderSource,
  memorySource,
  openCheckpoint,
  openWeights,
  type RawTensor,
  type ReadProgress,
  saveCheckpoint,
  serializeSafetensors,
  type Source,
  toFloat32Array,
  urlSource,
} from "../src/index.ts";
import { serveFiles } from "./fileServer.ts";
import { writeTorchFile } from "./torchArchive.ts";

const golden = new URL("../../conformance/golden/hf/", import.meta.url);
const models = ["mamba-tiny", "falcon-mamba-tiny", "mamba2-tiny"];

async function loadAll(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>): Promise<Map<string, RawTensor>> {
  const tensors = new Map<string, RawTensor>();
  for await (const [name, tensor] of checkpoint.stream()) tensors.set(name, tensor);
  return tensors;
}

describe.each(models)("golden %s", (model) => {
  const source = folderSource(new URL(model, golden));

  test("one by one and streamed, the tensors are the same", async () => {
    const checkpoint = await openCheckpoint(source);
    const streamed = await loadAll(checkpoint);
    expect([...streamed.keys()]).toEqual([...checkpoint.entries.keys()]);
    for (const [name, tensor] of streamed) {
      expect((await checkpoint.read(name)).bytes, name).toEqual(tensor.bytes);
    }
  });
});

const config = `{"model_type": "mamba", "hidden_size": 8}`;
const shardA = serializeSafetensors(new Map([["a", { shape: [2], values: Float32Array.of(1, 2) }]]));
const shardB = serializeSafetensors(new Map([["b", { shape: [3], values: Float32Array.of(3, 4, 5) }]]));
const A = "model-00001-of-00002.safetensors";
const B = "model-00002-of-00002.safetensors";

function sharded(
  map: unknown,
  total: unknown = 20,
  files: FileMap = { [A]: shardA, [B]: shardB },
): ReturnType<typeof memorySource> {
  const index = JSON.stringify({ metadata: { total_size: total }, weight_map: map });
  return memorySource({ ...files, "config.json": config, "model.safetensors.index.json": index });
}

describe("shards", () => {
  test("open as one checkpoint, with a report for each file", async () => {
    const seen: ReadProgress[] = [];
    const checkpoint = await openCheckpoint(sharded({ a: A, b: B }));
    expect(checkpoint.entries.get("b")).toEqual({ dtype: "F32", shape: [3], byteLength: 12, file: B });
    expect([...toFloat32Array(await checkpoint.read("b"))]).toEqual([3, 4, 5]);
    const names: string[] = [];
    for await (const [name] of checkpoint.stream({ onProgress: (progress) => void seen.push(progress) }))
      names.push(name);
    expect(names).toEqual(["a", "b"]);
    expect(seen.filter(({ loaded, total }) => loaded === total).map(({ file }) => file)).toEqual([A, B]);
    await expect(checkpoint.read("c")).rejects.toThrow(/"c" is missing/);
  });

  test.each([
    "../outside.safetensors",
    "sub/x.safetensors",
    "..\\x.safetensors",
    "/abs.safetensors",
    "https://host/x.safetensors",
    "C:\\x.safetensors",
    "file:x.safetensors",
    "",
    "..",
    "a\0.safetensors",
  ])("a shard named %j is refused before anything is read", async (name) => {
    await expect(openCheckpoint(sharded({ a: A, b: name }))).rejects.toThrow(FormatError);
    await expect(openCheckpoint(sharded({ a: A, b: name }))).rejects.toThrow(/stay in the checkpoint's folder/);
  });

  test.each<[fault: string, source: ReturnType<typeof memorySource>, message: RegExp]>([
    ["weight_map missing", sharded(undefined), /weight_map must be an object/],
    ["weight_map a list", sharded([]), /weight_map must be an object/],
    ["weight_map empty", sharded({}), /must not be empty/],
    ["a file that is no name", sharded({ a: 1 }), /"a" must be a file name/],
    ["a shard of another format", sharded({ a: "model.bin" }), /\.safetensors file/],
    ["a shard that is not there", sharded({ a: A, b: "x.safetensors" }), /"x.safetensors" .* is missing/],
    ["a key in the wrong shard", sharded({ a: B, b: A }), /not assigned to this shard/],
    ["a tensor that the index does not list", sharded({ a: A, x: B }), /"b" is not assigned/],
    ["total_size no number", sharded({ a: A, b: B }, "20"), /total_size must be/],
    ["a truncated shard", sharded({ a: A, b: B }, 20, { [A]: shardA, [B]: shardB.subarray(0, -1) }), /truncated/],
  ])("%s", async (_fault, source, message) => {
    await expect(openCheckpoint(source)).rejects.toThrow(FormatError);
    await expect(openCheckpoint(source)).rejects.toThrow(message);
  });

  test("a key that no shard has, and a total_size that is wrong, are told and leave the tensors as they are", async () => {
    expect((await openCheckpoint(sharded({ a: A, b: B }))).notes).toEqual([]);
    const opened = await openCheckpoint(sharded({ a: A, b: B, c: B }, 21));
    expect([...opened.entries.keys()]).toEqual(["a", "b"]);
    expect(opened.notes).toEqual([
      expect.stringMatching(/names the tensor "c", which .* does not hold/),
      expect.stringMatching(/total_size is 21, the shards hold 20 bytes/),
    ]);
    await expect(opened.read("c")).rejects.toThrow(/"c" is missing/);
  });
});

test.each<[fault: string, files: FileMap, message: RegExp]>([
  ["no config", { "model.safetensors": shardA }, /config.json is missing/],
  ["a config that is no JSON", { "config.json": "<html>", "model.safetensors": shardA }, /config.json: not valid JSON/],
  [
    "a config that is a list",
    { "config.json": "[]", "model.safetensors": shardA },
    /config.json: must be a JSON object/,
  ],
  ["no weights", { "config.json": config }, /model.safetensors is missing/],
  [
    "a page in place of pickled weights",
    { "config.json": config, "pytorch_model.bin": "x" },
    /pytorch_model.bin: is not an archive/,
  ],
  [
    "an empty index of pickled shards",
    { "config.json": config, "pytorch_model.bin.index.json": "{}" },
    /pytorch_model.bin.index.json: weight_map must be/,
  ],
  ["empty weights", { "config.json": config, "model.safetensors": "" }, /at least 8 bytes/],
])("a folder with %s", async (_fault, files, message) => {
  await expect(openCheckpoint(memorySource(files))).rejects.toThrow(FormatError);
  await expect(openCheckpoint(memorySource(files))).rejects.toThrow(message);
});

test("Python's spelling of infinity is read", async () => {
  const checkpoint = await openCheckpoint(
    memorySource({
      "config.json": `{"time_step_limit": [0.0, Infinity], "x": [NaN, -Infinity]}`,
      "model.safetensors": shardA,
    }),
  );
  expect(checkpoint.config).toEqual(
    Object.assign(Object.create(null), { time_step_limit: [0, Infinity], x: [NaN, -Infinity] }),
  );
});

test("over HTTP: one tensor costs its own bytes, and an aborted stream is an AbortedError", async () => {
  const weights = serializeSafetensors(
    new Map(["a", "b", "c"].map((name) => [name, { shape: [50_000], values: new Float32Array(50_000).fill(1) }])),
  );
  await using server = await serveFiles(
    new Map([
      ["config.json", new TextEncoder().encode(config)],
      ["model.safetensors", weights],
    ]),
    { ranges: true, pieceBytes: 10_000 },
  );
  const checkpoint = await openCheckpoint(urlSource(server.base));
  expect(toFloat32Array(await checkpoint.read("b")).length).toBe(50_000);
  expect(server.sent).toBeLessThan(200_000 + 2_000); // tensor, header, config
  const controller = new AbortController();
  const names: string[] = [];
  const load = async (): Promise<void> => {
    for await (const [name] of checkpoint.stream({ signal: controller.signal })) {
      names.push(name);
      controller.abort();
    }
  };
  await expect(load()).rejects.toThrow(AbortedError);
  expect(names).toEqual(["a"]);
});

describe("saving", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "statespace-"))));
  afterEach(() => rm(folder, { recursive: true }));

  test("aborted half-way, it leaves the old files and no temporary one", async () => {
    const before = new Map([["w", { shape: [1], values: Float32Array.of(1) }]]);
    await saveCheckpoint(folder, { config: { old: true }, tensors: before });
    const controller = new AbortController();
    let reads = 0;
    const abortsWhenWritten = {
      shape: [1],
      get values(): Float32Array {
        // The first read is the layout's; the second comes when x is on the disk already.
        if (++reads === 2) controller.abort();
        return Float32Array.of(2);
      },
    };
    const tensors = new Map([
      ["x", { shape: [1], values: Float32Array.of(2) }],
      ["y", abortsWhenWritten],
    ]);
    await expect(saveCheckpoint(folder, { config: {}, tensors }, { signal: controller.signal })).rejects.toThrow(
      AbortedError,
    );
    expect(reads).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model.safetensors"]);
    const kept = await openCheckpoint(folderSource(folder));
    expect([...kept.entries.keys()]).toEqual(["w"]);
    expect(kept.config.old).toBe(true);
  });

  test("a tensor that lies about its shape, or a file name that leaves the folder, writes nothing", async () => {
    const tensors = new Map([["w", { shape: [2], values: new Float32Array(1) }]]);
    await expect(saveCheckpoint(folder, { config: {}, tensors })).rejects.toThrow(ShapeError);
    await expect(saveCheckpoint(folder, { config: {}, tensors: new Map(), files: { "../x": "" } })).rejects.toThrow(
      FormatError,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("in a page, the same files as Blobs", async () => {
    const blobs = checkpointBlobs(
      { config: JSON.parse(config) as object, tensors: new Map([["w", { shape: [1], values: Float32Array.of(7) }]]) },
      { dtype: "BF16" },
    );
    const checkpoint = await openCheckpoint(memorySource(blobs));
    expect([...toFloat32Array(await checkpoint.read("w"))]).toEqual([7]);
    expect(checkpoint.entries.get("w")?.dtype).toBe("BF16");
  });
});

test.each(["model.safetensors", "pytorch_model.bin"])(
  "%s: when a tensor is handed out, no later one has been read",
  async (file) => {
    const length = 50_000;
    const values = new Float32Array(length).fill(1);
    const raw = { dtype: "F32" as const, bytes: new Uint8Array(values.buffer) };
    const names = ["a", "b", "c", "d"];
    const bytes =
      file === "model.safetensors"
        ? serializeSafetensors(new Map(names.map((name) => [name, { shape: [length], values }])))
        : writeTorchFile({
            storages: Object.fromEntries(names.map((name) => [name, raw])),
            tensors: Object.fromEntries(names.map((name) => [name, { storage: name, shape: [length], strides: [1] }])),
          });
    const inner = memorySource({ [file]: bytes });
    let handedOut = 0;
    const source: Source = {
      name: "counted",
      size: inner.size.bind(inner),
      read: async (name, options) => {
        const part = await inner.read(name, options);
        handedOut += part?.byteLength ?? 0;
        return part;
      },
      stream: async () => ({ size: bytes.length, chunks: pieces() }),
    };
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let at = 0; at < bytes.length; at += 10_000) {
        const piece = bytes.slice(at, at + 10_000);
        handedOut += piece.length;
        yield piece;
      }
    }
    const weights = await openWeights(source);
    const opened = handedOut;
    let seen = 0;
    for await (const [, tensor] of weights.stream()) {
      expect(tensor.bytes.buffer.byteLength).toBe(4 * length);
      seen++;
      expect(handedOut - opened).toBeLessThan(seen * 4 * length + 20_000); // a piece, and headers
    }
    expect(seen).toBe(4);
  },
);
