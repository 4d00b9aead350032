import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend, setBackend } from "statespace";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseRecipe } from "../src/training/recipe.ts";
import { trainRecipe } from "../src/training/trainRecipe.ts";

let folder: string;
beforeEach(async () => {
  await setBackend(cpuBackend());
  folder = await mkdtemp(join(tmpdir(), "degenerate-"));
});
afterEach(() => rm(folder, { recursive: true }));

const recipe = {
  data: { texts: ["text.txt"] },
  model: { hidden_size: 8, num_hidden_layers: 1, state_size: 2 },
  steps: 3,
  seqLen: 8,
  batchSize: 2,
};

it.each<[string, string, object, RegExp]>([
  [
    "one line that is shorter than a row",
    "hello, wo",
    { data: { texts: ["text.txt"], heldOut: 0.4 } },
    /the texts have \d+ tokens to train on, a row needs 9/,
  ],
  [
    "too little for rows that go on",
    "hello, world",
    { rows: "contiguous" },
    /the texts have \d+ tokens to train on, a batch needs 17/,
  ],
  ["nothing held out", "hello, world, hello", {}, /what is held out has [01] tokens, 2 are needed/],
  ["an empty file", "", {}, /the texts have 0 tokens|is empty/],
])("finds %s before the first step", async (_, text, more, message) => {
  await writeFile(join(folder, "text.txt"), text);
  const source = { ...recipe, ...more };
  const steps: number[] = [];
  const run = trainRecipe(parseRecipe(source), source, {
    base: folder,
    output: join(folder, "out"),
    resume: false,
    onEvent: ({ step }) => void steps.push(step),
  });
  await expect(run).rejects.toThrow(message);
  expect(steps).toEqual([]);
});
