import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "@statespace/core";
import { randomCrops } from "@statespace/datasets";
import { familyNamed, Model, publishedTensors, savePretrained } from "@statespace/models";
import { tokenizerFiles } from "@statespace/text";
import { FSDP, REQUIREMENTS, SCRIPT } from "./pytorchScript.ts";
import type { Recipe } from "./recipe.ts";
import { generationConfig, recipeModelConfig } from "./recipeModel.ts";
import { openTrainingData } from "./trainingData.ts";

/** What was written. */
export interface ExportedRun {
  readonly parameters: number;
  readonly steps: number;
  readonly tokens: number;
}

/**
 * Writes the run of a recipe for PyTorch: the model as it begins, the ids and the places of every row of every step, rates, and a script for
 * transformers and accelerate that takes the same steps, on one device or many. What it saves loads here.
 * @param output a folder, made where it is not there
 * @throws FormatError for what has no counterpart there: tasks, a carried state, time in place of steps, optimisers other than AdamW, an average
 */
export async function exportRecipe(recipe: Recipe, base: string, output: string): Promise<ExportedRun> {
  const { steps, batchSize, seqLen, accumulate, seed } = recipe;
  const data = await openTrainingData(recipe, base);
  if (data.ids === undefined) refuse("data.task: batches of a task are made as they are asked for; texts are written");
  if (recipe.rows === "contiguous")
    refuse("rows: models of transformers do not train from a state that is carried; crops are written");
  if (steps === undefined) refuse("steps is needed: a run that counts minutes takes other steps on another machine");
  if (recipe.optimizer.kind !== undefined) refuse(`optimizer.kind ${recipe.optimizer.kind}: AdamW is written`);
  if (recipe.ema !== undefined) refuse("ema: no moving average is written");
  const model = new Model(recipeModelConfig(recipe, data), seed);
  try {
    const family = familyNamed(model.config.family ?? "statespace");
    if (family.name === "statespace" || family.name === "mamba_ssm")
      refuse(`model: transformers has no model of family ${family.name}`);
    await mkdir(join(output, "data"), { recursive: true });
    await savePretrained(model, join(output, "model"), {
      files: {
        ...(data.tokenizer && tokenizerFiles(data.tokenizer)),
        "generation_config.json": generationConfig(data),
      },
    });
    const { train, heldOut } = data.ids!;
    await writeFile(join(output, "data/train.bin"), littleEndian(train));
    await writeFile(
      join(output, "data/heldout.bin"),
      littleEndian(heldOut.subarray(0, recipe.evaluation.finalTokens + 1)),
    );
    // The same draws, of places in place of ids.
    const places = randomCrops(
      Int32Array.from(train, (_, i) => i),
      { batchSize, seqLen, seed },
    );
    const starts = new Int32Array(steps! * accumulate * batchSize);
    for (let i = 0; i < steps! * accumulate; i++) {
      const { inputs } = places.nextBatch();
      for (let row = 0; row < batchSize; row++) starts[i * batchSize + row] = inputs[row * seqLen]!;
    }
    await writeFile(join(output, "data/starts.bin"), littleEndian(starts));
    const { learningRate, ...optimizer } = recipe.optimizer;
    const undecayed = publishedTensors(model, family.weights).filter(({ parameter }) => !parameter.decay);
    const run = {
      name: recipe.name,
      steps,
      accumulate,
      batch_size: batchSize,
      seq_len: seqLen,
      clip_norm: recipe.clipNorm,
      learning_rates: Array.from({ length: steps! }, (_, i) => learningRate! * recipe.schedule((i + 1) / steps!)),
      optimizer,
      no_decay: undecayed.map(({ key }) => moduleName(family.modules, key)),
    };
    await writeFile(join(output, "run.json"), `${JSON.stringify(run, null, 1)}\n`);
    await writeFile(join(output, "train.py"), SCRIPT);
    await writeFile(join(output, "fsdp.yaml"), FSDP);
    await writeFile(join(output, "requirements.txt"), REQUIREMENTS);
    return { parameters: model.size, steps: steps!, tokens: steps! * accumulate * batchSize * seqLen };
  } finally {
    model.dispose();
  }
}

function refuse(why: string): never {
  throw new FormatError(`export-recipe: ${why}`);
}

/** What transformers calls a tensor while it is in memory, where its files call it otherwise. */
function moduleName(modules: Readonly<Record<string, string>> = {}, key: string): string {
  const beginning = Object.keys(modules).find((name) => key.startsWith(`${name}.`));
  return beginning === undefined ? key : `${modules[beginning]!}${key.slice(beginning.length)}`;
}

function littleEndian(ids: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * ids.length);
  const view = new DataView(bytes.buffer);
  ids.forEach((id, i) => view.setInt32(4 * i, id, true));
  return bytes;
}
