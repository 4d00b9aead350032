import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend, setBackend } from "statespace";
import { fromPretrained, Model } from "@statespace/models";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exportRecipe } from "../src/training/exportRecipe.ts";
import { parseRecipe } from "../src/training/recipe.ts";
import { recipeModelConfig } from "../src/training/recipeModel.ts";
import { openTrainingData } from "../src/training/trainingData.ts";

let folder: string;
beforeEach(async () => {
  await setBackend(cpuBackend());
  folder = await mkdtemp(join(tmpdir(), "export-"));
});
afterEach(() => rm(folder, { recursive: true }));

const recipe = {
  data: { fixture: "moby-dick-opening.txt" },
  tokenizer: { kind: "bpe", vocabSize: 300 },
  model: { hidden_size: 16, num_hidden_layers: 1, state_size: 4 },
  optimizer: { learningRate: 4e-3 },
  schedule: { kind: "wsd", warmUp: 0.5 },
  steps: 4,
  batchSize: 3,
  seqLen: 8,
  accumulate: 2,
  seed: 3,
};

async function ints(file: string): Promise<Int32Array> {
  const bytes = await readFile(join(folder, file));
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
}

it("writes the same rows, rates, groups and weights", async () => {
  const parsed = parseRecipe(recipe);
  const { parameters, tokens } = await exportRecipe(parsed, folder, folder);
  expect(tokens).toBe(4 * 2 * 3 * 8);
  expect((await readdir(folder)).sort()).toEqual(
    ["data", "fsdp.yaml", "model", "requirements.txt", "run.json", "train.py"].sort(),
  );
  const data = await openTrainingData(parsed, folder);
  const [ids, starts] = [await ints("data/train.bin"), await ints("data/starts.bin")];
  expect(ids).toEqual(data.ids!.train);
  expect(starts).toHaveLength(4 * 2 * 3);
  for (let batch = 0; batch < 8; batch++) {
    const { inputs } = data.stream.nextBatch();
    for (let row = 0; row < 3; row++) {
      const start = starts[batch * 3 + row]!;
      expect(ids.slice(start, start + 8)).toEqual(inputs.slice(row * 8, row * 8 + 8));
    }
  }
  const run = JSON.parse(await readFile(join(folder, "run.json"), "utf8")) as {
    learning_rates: number[];
    no_decay: string[];
  };
  // wsd: half of the four steps warm-up, then the peak, then down over the last fifth.
  expect(run.learning_rates.map((rate) => Number(rate.toFixed(6)))).toEqual([0.002, 0.004, 0.004, 0]);
  expect(run.no_decay).toContain("backbone.layers.0.mixer.A_log");
  expect(run.no_decay).toContain("backbone.norm_f.weight");
  expect(run.no_decay).not.toContain("backbone.layers.0.mixer.in_proj.weight");
  const [begun, fresh] = [
    await fromPretrained(join(folder, "model")),
    new Model(recipeModelConfig(parsed, data), parsed.seed),
  ];
  expect(begun.size).toBe(parameters);
  for (const { name } of fresh.parameters)
    expect(await begun.parameter(name).read()).toEqual(await fresh.parameter(name).read());
  for (const model of [begun, fresh]) model.dispose();
});

it.each<[string, object, RegExp]>([
  ["minutes", { steps: undefined, maxMinutes: 1 }, /export-recipe: steps is needed/],
  ["a carried state", { rows: "contiguous" }, /export-recipe: rows: models of transformers do not train from a state/],
  ["a task", { data: { task: "parity" }, tokenizer: undefined }, /export-recipe: data\.task/],
  ["another optimiser", { optimizer: { kind: "muon" } }, /export-recipe: optimizer\.kind muon: AdamW is written/],
  ["an average", { ema: 0.9 }, /export-recipe: ema/],
])("refuses %s", async (_, more, message) => {
  await expect(exportRecipe(parseRecipe({ ...recipe, ...more }), folder, folder)).rejects.toThrow(message);
  expect(await readdir(folder)).toEqual([]);
});
