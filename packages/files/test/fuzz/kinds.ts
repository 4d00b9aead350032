import { readFileSync } from "node:fs";
import type { Rng } from "@statespace/core";
import {
  GgufStrings,
  memorySource,
  openGguf,
  openPytorch,
  openSafetensors,
  quantize,
  type TensorFile,
} from "../../src/index.ts";
import { GgufBytes } from "../ggufFile.ts";
import { mutateBytes } from "./mutateBytes.ts";
import { pickleStateDict, writeTorchFile, type TorchFile } from "../torchArchive.ts";

/** A kind of file: whole ones to mutate, and what reads them. */
export interface Kind {
  readonly seeds: readonly Uint8Array[];
  /** Bytes in which what is read first and last of them stands; all of them unless told. */
  readonly header?: number;
  /** Changes a file in a way of its own kind. */
  mutate?(file: Uint8Array, rng: Rng): Uint8Array;
  read(bytes: Uint8Array): Promise<void>;
}

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../conformance/golden/${name}`, import.meta.url)));

async function readAll(file: TensorFile | undefined): Promise<void> {
  for (const name of file!.entries.keys()) await file!.read(name);
  let bytes = 0;
  for await (const piece of file!.pieces()) bytes += piece.bytes.byteLength;
  if (bytes !== [...file!.entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0))
    throw new Error("the pieces are not all bytes");
}

function smallGguf(): Uint8Array {
  const q = quantize("Q8_0", new Float32Array(64).fill(1));
  return new GgufBytes()
    .header(2, 4)
    .text("general.architecture")
    .u32(8)
    .text("mamba")
    .text("tokenizer.ggml.tokens")
    .u32(9)
    .u32(8)
    .u64(3)
    .text("a")
    .text("")
    .text("日本")
    .text("list")
    .u32(9)
    .u32(4)
    .u64(2)
    .u32(7)
    .u32(9)
    .text("flag")
    .u32(7)
    .raw(1)
    .tensor("a.weight", [32, 2], 8, 0)
    .tensor("b", [4], 0, 96)
    .data(96 + 16)
    .file()
    .map((byte, i, all) =>
      i >= all.length - 112 && i < all.length - 112 + q.length ? q[i - all.length + 112]! : byte,
    );
}

const float = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const stateDict: TorchFile = {
  tensors: {
    "a.weight": { storage: "0", shape: [2, 3], strides: [3, 1] },
    turned: { storage: "0", shape: [3, 2], strides: [1, 3] },
    b: { storage: "0", shape: [2], strides: [1], offset: 4, parameter: true },
  },
  storages: { 0: { dtype: "F32", bytes: float } },
  extra: { step: 3 },
};

const pickle = pickleStateDict(stateDict);

export const kinds: Readonly<Record<string, Kind>> = {
  gguf: {
    seeds: [smallGguf(), golden("gguf/metadata.gguf"), golden("gguf/blocks.gguf")],
    header: 900,
    async read(bytes) {
      const file = await openGguf(memorySource({ "x.gguf": bytes }), "x.gguf");
      for (const { value } of file!.values.values()) if (value instanceof GgufStrings) value.toArray();
      await readAll(file);
    },
  },
  /** The archive, and what in it is found by its directory. */
  zip: {
    seeds: [writeTorchFile(stateDict), writeTorchFile(stateDict, { wide: true })],
    header: 600,
    read: async (bytes) => readAll(await openPytorch(memorySource({ "x.bin": bytes }), "x.bin")),
  },
  /** The pickle alone, in an archive that is whole. */
  pickle: {
    seeds: [writeTorchFile(stateDict)],
    mutate: (_, rng) => writeTorchFile({ ...stateDict, pickle: mutateBytes(pickle, rng, pickle.byteLength) }),
    read: async (bytes) => readAll(await openPytorch(memorySource({ "x.bin": bytes }), "x.bin")),
  },
  safetensors: {
    seeds: [golden("hf/mamba-tiny/model.safetensors"), golden("causal-conv1d/basic.safetensors")],
    header: 2000,
    read: async (bytes) => readAll(await openSafetensors(memorySource({ x: bytes }), "x")),
  },
};
