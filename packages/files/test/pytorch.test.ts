import { AbortedError, FormatError, Rng, StatespaceError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  type ElementType,
  memorySource,
  openCheckpoint,
  openPytorch,
  openWeights,
  type Source,
  type TensorFile,
  toFloat32Array,
  toFloat64Array,
} from "../src/index.ts";
import { op, pickleStateDict, type TorchFile, WIDTHS, writeTorchFile, writeZip } from "./torchArchive.ts";

const FILE = "pytorch_model.bin";
const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i + 0.5);

async function open(file: TorchFile | Uint8Array): Promise<TensorFile> {
  const bytes = file instanceof Uint8Array ? file : writeTorchFile(file);
  return (await openPytorch(memorySource({ [FILE]: bytes }), FILE)) as TensorFile;
}

const model: TorchFile = {
  storages: {
    "0": { dtype: "F32", bytes: bytesOf(ramp(12)) },
    "1": { dtype: "BF16", bytes: bytesOf(Uint16Array.of(0x3f80, 0x4000)) },
    "2": { dtype: "I64", bytes: bytesOf(BigInt64Array.of(-3n)) },
  },
  tensors: {
    "embeddings.weight": { storage: "0", shape: [3, 4], strides: [4, 1], parameter: true },
    "norm.weight": { storage: "1", shape: [2], strides: [1] },
    steps: { storage: "2", shape: [], strides: [] },
    "lm_head.weight": { storage: "0", shape: [3, 4], strides: [4, 1] },
    transposed: { storage: "0", shape: [4, 3], strides: [1, 4] },
    "second row": { storage: "0", shape: [4], strides: [1], offset: 4 },
    "last column": { storage: "0", shape: [3], strides: [4], offset: 3 },
    empty: { storage: "0", shape: [0, 5], strides: [5, 1], offset: 12 },
  },
};

describe("a state dict", () => {
  test.each([false, true])("values, views and shared storages; 64-bit directory: %s", async (wide) => {
    const file = await open(writeTorchFile(model, { wide }));
    const values = async (name: string): Promise<number[]> => [...toFloat64Array(await file.read(name))];
    const rows = [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => 4 * row + column + 0.5));
    expect(await values("embeddings.weight")).toEqual(rows.flat());
    expect(await values("lm_head.weight")).toEqual(rows.flat());
    expect(await values("norm.weight")).toEqual([1, 2]);
    expect(await values("steps")).toEqual([-3]);
    expect(await values("transposed")).toEqual([0, 1, 2, 3].flatMap((column) => rows.map((row) => row[column])));
    expect(await values("second row")).toEqual(rows[1]);
    expect(await values("last column")).toEqual(rows.map((row) => row[3]));
    expect(await values("empty")).toEqual([]);
    expect(file.entries.get("norm.weight")).toEqual({ dtype: "BF16", shape: [2], byteLength: 4, file: FILE });
  });

  test("streams in the order of the archive, the same bytes as read", async () => {
    const file = await open(model);
    const seen: string[] = [];
    for await (const [name, tensor] of file.stream()) {
      seen.push(name);
      expect(tensor, name).toEqual(await file.read(name));
    }
    expect(seen).toEqual([...file.entries.keys()]);
    expect(seen.indexOf("norm.weight")).toBeGreaterThan(seen.indexOf("transposed"));
  });

  test.each(Object.keys(WIDTHS) as ElementType[])("%s", async (dtype) => {
    const bytes = Uint8Array.from({ length: 6 * WIDTHS[dtype] }, (_, i) => (dtype === "BOOL" ? i & 1 : 3 * i + 1));
    const file = await open({
      storages: { "7": { dtype, bytes } },
      tensors: {
        w: { storage: "7", shape: [2, 3], strides: [3, 1] },
        t: { storage: "7", shape: [3, 2], strides: [1, 3] },
      },
    });
    expect(await file.read("w")).toEqual({ dtype, shape: [2, 3], bytes });
    const [plain, turned] = [toFloat64Array(await file.read("w")), toFloat64Array(await file.read("t"))];
    for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) expect(turned[2 * j + i]).toBe(plain[3 * i + j]);
  });

  test("under state_dict in a training checkpoint; numbers beside tensors are metadata", async () => {
    const inner = pickleStateDict({ ...model, extra: { epoch: 3 } }).slice(2, -1);
    const pickle = Uint8Array.from([0x80, 2, 0x7d, ...op.text("state_dict"), ...inner, 0x73, 0x2e]);
    const file = await open({ ...model, pickle });
    expect([...file.entries.keys()].sort()).toEqual(Object.keys(model.tensors).sort());
    expect(file.metadata.get("epoch")).toBe("3");
  });

  test("protocol 4, as torch.save(pickle_protocol=4) writes it", async () => {
    const short = (text: string): number[] => [0x8c, text.length, ...new TextEncoder().encode(text)];
    const global = (module: string, name: string): number[] => [...short(module), ...short(name), 0x93, 0x94];
    const id = [
      0x28,
      ...short("storage"),
      ...global("torch", "FloatStorage"),
      ...short("0"),
      ...short("cpu"),
      0x4b,
      12,
    ];
    const pickle = Uint8Array.from(
      [
        [0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x7d, 0x94, ...short("w"), 0x94],
        [...global("torch._utils", "_rebuild_tensor_v2"), 0x28, ...id, 0x74, 0x94, 0x51],
        [0x4b, 2, 0x4b, 5, 0x85, 0x94, 0x4b, 1, 0x85, 0x94, 0x89],
        [...global("collections", "OrderedDict"), 0x29, 0x52, 0x94, 0x74, 0x94, 0x52, 0x94, 0x73, 0x2e],
      ].flat(),
    );
    const file = await open({ ...model, pickle });
    expect([...toFloat32Array(await file.read("w"))]).toEqual([2.5, 3.5, 4.5, 5.5, 6.5]);
  });
});

test("only the bytes of the tensor that is asked for are read", async () => {
  const big = bytesOf(new Float32Array(100_000).fill(3));
  const bytes = writeTorchFile({
    storages: { "0": { dtype: "F32", bytes: big }, "1": { dtype: "F32", bytes: big } },
    tensors: { a: { storage: "0", shape: [100_000], strides: [1] }, b: { storage: "1", shape: [10], strides: [1] } },
  });
  const asked: number[] = [];
  const file = (await openPytorch(watched(bytes, asked), FILE)) as TensorFile;
  const opened = asked.reduce((sum, length) => sum + length, 0);
  expect(opened).toBeLessThan(70_000); // the end of the file, where the directory is
  await file.read("b");
  expect(asked.reduce((sum, length) => sum + length, 0) - opened).toBeLessThan(100);
});

/** A source that notes how many bytes each read asks for. */
function watched(bytes: Uint8Array, asked: number[]): Source {
  const inner = memorySource({ [FILE]: bytes });
  return {
    name: inner.name,
    size: inner.size.bind(inner),
    stream: inner.stream.bind(inner),
    read: async (file, options) => {
      const answer = await inner.read(file, options);
      if (answer !== undefined) asked.push(answer.length);
      return answer;
    },
  };
}

describe("a checkpoint folder", () => {
  const config = `{"model_type": "mamba"}`;

  test("opens with pytorch_model.bin, with shards of it, and prefers safetensors", async () => {
    const bin = writeTorchFile(model);
    const single = await openCheckpoint(memorySource({ "config.json": config, [FILE]: bin }));
    expect([...single.entries.keys()]).toContain("lm_head.weight");
    const names = Object.keys(model.tensors);
    const shard = (keep: (name: string) => boolean): Uint8Array =>
      writeTorchFile({
        ...model,
        tensors: Object.fromEntries(Object.entries(model.tensors).filter(([name]) => keep(name))),
      });
    const [A, B] = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    const map = Object.fromEntries(names.map((name) => [name, name === "steps" ? B : A]));
    const files = {
      "config.json": config,
      "pytorch_model.bin.index.json": JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }),
      [A]: shard((name) => name !== "steps"),
      [B]: shard((name) => name === "steps"),
    };
    const sharded = await openCheckpoint(memorySource(files));
    expect([...sharded.entries.keys()].sort()).toEqual([...names].sort());
    expect(sharded.entries.get("steps")?.file).toBe(B);
    const swapped = { ...files, [A]: files[B], [B]: files[A] };
    await expect(openWeights(memorySource(swapped))).rejects.toThrow(/not assigned to this shard/);
  });

  test("an aborted stream is an AbortedError", async () => {
    const file = await open(model);
    const controller = new AbortController();
    const load = async (): Promise<void> => {
      for await (const _tensor of file.stream({ signal: controller.signal })) controller.abort();
    };
    await expect(load()).rejects.toThrow(AbortedError);
  });
});

describe("refused", () => {
  const pickled = (...bytes: number[]): Uint8Array => writeTorchFile({ ...model, pickle: Uint8Array.from(bytes) });
  const one = (tensor: object, storage: object = {}): Uint8Array =>
    writeTorchFile({
      storages: { "0": { dtype: "F32", bytes: bytesOf(ramp(12)), ...storage } },
      tensors: { w: { storage: "0", shape: [12], strides: [1], ...tensor } },
    });
  const system = [0x80, 2, ...op.global("os", "system"), ...op.tuple([op.text("echo")]), 0x52, 0x2e];

  test.each<[fault: string, file: Uint8Array, message: RegExp]>([
    ["a call of os.system", pickled(...system), /asks for "os\.system"/],
    ["builtins.eval", pickled(0x80, 2, ...op.global("builtins", "eval"), 0x2e), /asks for "builtins\.eval"/],
    [
      "a float8 tensor",
      pickled(0x80, 2, ...op.global("torch._utils", "_rebuild_tensor_v3"), 0x2e),
      /_rebuild_tensor_v3/,
    ],
    ["INST", pickled(0x80, 2, 0x28, 0x69, 0x61, 0x0a, 0x62, 0x0a, 0x2e), /opcode 0x69/],
    ["NEWOBJ", pickled(0x80, 2, ...op.global("collections", "OrderedDict"), 0x29, 0x81, 0x2e), /opcode 0x81/],
    ["a protocol to come", pickled(0x80, 9, 0x4e, 0x2e), /protocol must be at most/],
    ["no dict", pickled(0x80, 2, 0x5d, 0x2e), /must hold a dict of tensors, got a list/],
    [
      "a list among the tensors",
      pickled(0x80, 2, 0x7d, ...op.text("a"), 0x5d, 0x73, 0x2e),
      /"a" must be a tensor, got a list/,
    ],
    ["an empty stack", pickled(0x80, 2, 0x52), /takes a value where there is none/],
    ["a value past a mark", pickled(0x80, 2, 0x4e, 0x28, 0x85, 0x2e), /takes a value where there is none/],
    ["an unknown memo", pickled(0x80, 2, 0x68, 9, 0x2e), /recalls value 9/],
    ["no end", pickled(0x80, 2, 0x7d), /cut off/],
    ["a shape past the storage", one({ shape: [13] }), /reaches past its storage of 12/],
    ["an offset past the storage", one({ offset: 1 }), /reaches past its storage/],
    ["strides past the storage", one({ shape: [2, 2], strides: [12, 1] }), /reaches past its storage/],
    ["strides of another length", one({ shape: [2, 2] }), /is none/],
    ["a storage that is longer in the pickle", one({}, { claimed: 13 }), /must be 13 elements of F32, got 48 bytes/],
    ["gigabytes by strides of 0", one({ shape: [1 << 30], strides: [0] }), /more than the whole file/],
    ["big-endian", writeTorchFile({ ...model, byteOrder: "big" }), /byte order "big"/],
    [
      "TorchScript",
      writeZip([
        { name: "m/data.pkl", bytes: Uint8Array.of(0x80, 2, 0x4e, 0x2e) },
        { name: "m/code/__torch__.py", bytes: Uint8Array.of(10) },
        { name: "m/constants.pkl", bytes: Uint8Array.of(0x80, 2, 0x29, 0x2e) },
      ]),
      /^pytorch_model.bin: is a TorchScript program .*torch.jit.load\(...\).state_dict\(\)/,
    ],
    ["another archive", writeZip([{ name: "a.txt", bytes: Uint8Array.of(1) }]), /has no data\.pkl/],
    ["a bare pickle", Uint8Array.of(0x80, 2, 0x8a, 10), /PyTorch before 1\.6/],
    ["a page", new TextEncoder().encode("<!DOCTYPE html><html>"), /an HTML page stands in its place/],
    ["a text", new TextEncoder().encode("weights"), /not an archive of torch\.save/],
    ["nothing", new Uint8Array(0), /not an archive/],
    [
      "a missing storage",
      writeTorchFile({ ...model, storages: { "0": model.storages["0"] }, pickle: pickleStateDict(model) }),
      /storage "1" .* is missing/,
    ],
    [
      "a file twice",
      writeZip([
        { name: "a/data.pkl", bytes: Uint8Array.of(1) },
        { name: "a/data.pkl", bytes: Uint8Array.of(2) },
      ]),
      /comes twice/,
    ],
  ])("%s", async (_fault, file, message) => {
    await expect(open(file)).rejects.toThrow(FormatError);
    await expect(open(file)).rejects.toThrow(message);
  });

  test("a missing tensor by name; a missing file is undefined", async () => {
    await expect((await open(model)).read("w")).rejects.toThrow(/"w" is missing/);
    expect(await openPytorch(memorySource({}), FILE)).toBeUndefined();
  });
});

const ROUNDS = 2_000;

test(`${ROUNDS} mutants: read or refused with a typed error, and no read or tensor beyond the file`, async () => {
  const whole = [writeTorchFile(model), writeTorchFile(model, { wide: true })];
  const rng = new Rng(21);
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const file = mutant(whole[round % 2], rng);
    const asked: number[] = [];
    try {
      const opened = (await openPytorch(watched(file, asked), FILE)) as TensorFile;
      for await (const [, tensor] of opened.stream()) {
        expect(tensor.bytes.length).toBeLessThanOrEqual(2 * file.length);
        toFloat64Array(tensor);
      }
      accepted++;
    } catch (error) {
      if (!(error instanceof StatespaceError))
        throw new Error(`round ${round}: untyped ${String(error)}`, { cause: error });
    }
    expect(Math.max(0, ...asked)).toBeLessThanOrEqual(file.length);
  }
  // Mutations of values and of padding change nothing that could be noticed.
  expect(accepted).toBeGreaterThan(ROUNDS / 20);
  expect(accepted).toBeLessThan(ROUNDS);
});

/** A few bytes changed, most of them in the pickle and the directory; or cut off, or a run of bytes repeated. */
function mutant(whole: Uint8Array, rng: Rng): Uint8Array {
  const kind = rng.integer(8);
  if (kind === 0) return whole.slice(0, rng.integer(whole.length));
  if (kind === 1) {
    const [from, at] = [rng.integer(whole.length), rng.integer(whole.length)];
    return Uint8Array.from([...whole.slice(0, at), ...whole.slice(from, from + 40), ...whole.slice(at)]);
  }
  const file = whole.slice();
  for (let edits = 1 + rng.integer(3); edits > 0; edits--) {
    const at = rng.integer(3) === 0 ? rng.integer(file.length) : 64 + rng.integer(1200);
    file[at] = [0, 1, 127, 128, 255, 0x28, 0x2e, 0x52, rng.integer(256), file[at] + 1][rng.integer(10)];
  }
  return file;
}
