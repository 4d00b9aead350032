import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setBackend } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { folderSource, openCheckpoint, parseSafetensors } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import {
  fromPretrained,
  parseModelConfig,
  pretrainedBlobs,
  publishedWeights,
  savePretrained,
} from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const names = readdirSync(golden);

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "family-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.each(names)("%s", (name) => {
  beforeAll(() => setBackend(cpuBackend()));
  const source = folderSource(new URL(`${name}/`, golden));

  it("is loaded and saved: the same names, shapes, bytes and config", () =>
    inFolder(async (folder) => {
      const original = await openCheckpoint(source);
      const model = await fromPretrained(source);
      await savePretrained(model, folder);
      model.dispose();
      const again = await openCheckpoint(folderSource(folder));
      expect([...again.entries.keys()].sort()).toEqual([...original.entries.keys()].sort());
      for (const key of original.entries.keys()) {
        const [own, theirs] = [await again.read(key), await original.read(key)];
        expect(own.shape, key).toEqual(theirs.shape);
        expect(own.bytes, key).toEqual(theirs.bytes);
      }
      // How weights start is no matter of saved ones, and transformers 5 would divide what it has just loaded.
      const saved = { ...parseModelConfig(original.config), rescalePrenormResidual: false };
      expect(parseModelConfig(again.config)).toEqual(saved);
      expect(again.config).toMatchObject({ model_type: original.config["model_type"] });
    }));

  it("half-precision weights stay so, and what is trained on is saved in the same type", () =>
    inFolder(async (folder) => {
      const model = await fromPretrained(source);
      await savePretrained(model, folder, { dtype: "BF16" });
      model.dispose();
      const half = await fromPretrained(folder);
      const parameter = half.parameters.at(-1)!;
      parameter.assign((await parameter.read()).map((value) => value * 2));
      const changed = await publishedWeights(half);
      await savePretrained(half, folder);
      half.dispose();
      const saved = parseSafetensors(new Uint8Array(await readFile(join(folder, "model.safetensors"))));
      expect([...saved.tensors.keys()].sort()).toEqual([...changed.keys()].sort());
      expect(new Set([...saved.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
      expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))).toMatchObject({ dtype: "bfloat16" });
      const last = await fromPretrained(folder);
      expect(await publishedWeights(last)).toEqual(changed);
      last.dispose();
    }));

  it("a page gets the files that are saved to a folder, byte for byte", () =>
    inFolder(async (folder) => {
      const model = await fromPretrained(source);
      const options = { files: { "tokenizer.json": "{}" }, metadata: { format: "pt", note: "same" } };
      await savePretrained(model, folder, options);
      const blobs = await pretrainedBlobs(model, options);
      model.dispose();
      expect([...blobs.keys()].sort()).toEqual((await readdir(folder)).sort());
      for (const [name, blob] of blobs)
        expect(new Uint8Array(await blob.arrayBuffer()), name).toEqual(
          new Uint8Array(await readFile(join(folder, name))),
        );
    }));

  it("packs what it may while it reads", async () => {
    const packed = await fromPretrained(source, { weights: "q8" });
    const formats = packed.parameters.filter((parameter) => packed.formats.get(parameter) === "q8");
    expect(formats).toEqual(packed.parameters.filter((parameter) => packed.packs(parameter, "q8")));
    packed.dispose();
  });
});
