import { dirname, resolve } from "node:path";
import { exportRecipe as write } from "../training/exportRecipe.ts";
import { parseRecipe } from "../training/recipe.ts";
import { readRecipeFile } from "../training/recipeFile.ts";
import { chooseBackend } from "./backendOption.ts";
import { readArguments, UsageError, type Command } from "./command.ts";

const USAGE = `usage: statespace export-recipe --config FILE --out DIR [--json]

Writes the run of a recipe (see \`statespace train\`) for PyTorch: train.py for transformers and accelerate, the model as it begins, its tokenizer,
the data as ids and the rows of every step, so that it takes the same steps on one GPU or many. What it trains loads here:
  cd DIR && pip install -r requirements.txt && accelerate launch --config_file fsdp.yaml --num_processes 4 train.py
  statespace generate --model DIR/trained
  --json         one JSON object in place of a line`;

const OPTIONS = {
  config: { type: "string" },
  out: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { config, out, json } = readArguments(args, OPTIONS);
  if (config === undefined) throw new UsageError("--config is needed: the recipe");
  if (out === undefined) throw new UsageError("--out is needed: a folder");
  await chooseBackend("cpu");
  const recipe = parseRecipe(await readRecipeFile(config));
  const exported = await write(recipe, dirname(resolve(config)), out);
  if (json) console.log(JSON.stringify({ output: out, ...exported }));
  else
    console.log(
      `${recipe.name}: ${exported.parameters.toLocaleString("en")} parameters, ${exported.steps} steps of ${(exported.tokens / exported.steps).toLocaleString("en")} tokens; ${out}/train.py`,
    );
  return 0;
}

/** `statespace export-recipe`: the same run for PyTorch. */
export const exportRecipe: Command = {
  summary: "writes a recipe's run for PyTorch on several GPUs: train.py, data, tokenizer, the model as it begins",
  usage: USAGE,
  run,
};
