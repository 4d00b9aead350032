import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderSource, openCheckpoint, type RawTensor, saveCheckpoint } from "@statespace/files";
import { describe, expect, test } from "vitest";
import { familyConfig, familyOf, matchWeights, Model, parseModelConfig } from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const models = ["mamba-tiny", "falcon-mamba-tiny", "mamba2-tiny"];

async function loadAll(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>): Promise<Map<string, RawTensor>> {
  const tensors = new Map<string, RawTensor>();
  for await (const [name, tensor] of checkpoint.stream()) tensors.set(name, tensor);
  return tensors;
}

describe.each(models)("golden %s", (model) => {
  const source = folderSource(new URL(model, golden));

  test("opens; its config asks for exactly the tensors it has", async () => {
    const checkpoint = await openCheckpoint(source);
    const config = parseModelConfig(checkpoint.config);
    expect(config.family).toBe(model.replace("-tiny", "").replace("-", "_"));
    const matched = matchWeights(new Model(config, "empty"), familyOf(checkpoint.config), checkpoint.entries);
    expect([...matched.keys()].sort()).toEqual([...checkpoint.entries.keys()].sort());
    expect(checkpoint.generationConfig?.bos_token_id).toBe(0);
    expect(checkpoint.metadata.get("format")).toBe("pt");
  });

  test("saved and opened again: same weights, same config", async () => {
    const checkpoint = await openCheckpoint(source);
    const config = parseModelConfig(checkpoint.config);
    const tensors = await loadAll(checkpoint);
    const folder = await mkdtemp(join(tmpdir(), "statespace-"));
    try {
      await saveCheckpoint(folder, {
        config: familyConfig(config, config.family!),
        tensors,
        files: { "tokenizer.json": "{}" },
        generationConfig: checkpoint.generationConfig ?? {},
      });
      expect((await readdir(folder)).sort()).toEqual([
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
      ]);
      const again = await openCheckpoint(folderSource(folder));
      expect(parseModelConfig(again.config)).toEqual(config);
      for (const [name, tensor] of tensors) expect((await again.read(name)).bytes, name).toEqual(tensor.bytes);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
