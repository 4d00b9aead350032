import { dirname, resolve } from "node:path";
import { progressReporter, toJsonLine } from "@statespace/models";
import { parseRecipe } from "../training/recipe.ts";
import { readRecipeFile } from "../training/recipeFile.ts";
import { trainRecipe } from "../training/trainRecipe.ts";
import { chooseBackend } from "./backendOption.ts";
import { readArguments, numberOption, UsageError, type Command } from "./command.ts";
import { FINE_TUNE_OPTIONS, FINE_TUNE_USAGE, fineTune } from "./fineTune.ts";

const USAGE = `usage: statespace train --config FILE [--out DIR] [--resume] [--changed] [--max-minutes M] [--backend B] [--json]

Trains a language model as the JSON file FILE says and writes a Hugging Face folder.
  --out DIR          where to; the file's "output" unless told
  --resume           go on from the newest checkpoint in DIR/checkpoints; an interrupt (Ctrl-C) leaves one
  --changed          with --resume: though the recipe or its data differ from the checkpoint's
  --max-minutes M    ends the run, and its schedule, after M minutes
  --tensorboard      writes events.out.tfevents.* beside metrics.jsonl, which TensorBoard shows
  --backend B        webgpu, wasm or cpu; the best there is unless told
  --json             one line of JSON an event on stdout, in place of the progress line on stderr

${FINE_TUNE_USAGE}`;

const OPTIONS = {
  ...FINE_TUNE_OPTIONS,
  config: { type: "string" },
  out: { type: "string" },
  resume: { type: "boolean", default: false },
  changed: { type: "boolean", default: false },
  "max-minutes": { type: "string" },
  tensorboard: { type: "boolean", default: false },
  backend: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const values = readArguments(args, OPTIONS);
  if (values.changed && !values.resume) throw new UsageError("--changed goes with --resume");
  if (values.init !== undefined) {
    if (values.config !== undefined)
      throw new UsageError("--config trains a new model, --init one that is there; give one of them");
    return fineTune({ ...values, init: values.init }, signal);
  }
  const foreign = Object.keys(FINE_TUNE_OPTIONS).find((name) => {
    const value = values[name as keyof typeof FINE_TUNE_OPTIONS];
    return value !== undefined && value !== false;
  });
  if (foreign !== undefined) throw new UsageError(`--${foreign} goes with --init`);
  if (values.config === undefined) throw new UsageError("--config is needed, or --init");
  const source = await readRecipeFile(values.config);
  const recipe = parseRecipe(source);
  const base = dirname(resolve(values.config));
  const output = values.out ?? (recipe.output === undefined ? undefined : resolve(base, recipe.output));
  if (output === undefined) throw new UsageError('--out is needed, or "output" in the recipe');
  const backend = await chooseBackend(values.backend);
  const show = progressReporter(process.stderr);
  if (!values.json) process.stderr.write(`${recipe.name} on ${backend}, to ${output}\n`);
  const trained = await trainRecipe(recipe, source, {
    base,
    output,
    resume: values.resume && values.changed ? "changed" : values.resume,
    maxMinutes: numberOption("max-minutes", values["max-minutes"]),
    tensorBoard: values.tensorboard,
    signal,
    onEvent: (event) => (values.json ? console.log(toJsonLine(event)) : show(event)),
  });
  const { heldOut, parameters, steps } = trained;
  if (values.json) console.log(JSON.stringify({ kind: "trained", output, ...trained }));
  else {
    const figures = [
      `loss ${heldOut.loss.toFixed(4)}`,
      ...(heldOut.bitsPerByte === undefined ? [] : [`${heldOut.bitsPerByte.toFixed(3)} bits per byte`]),
      ...(heldOut.accuracy === undefined ? [] : [`accuracy ${(100 * heldOut.accuracy).toFixed(2)} %`]),
    ];
    console.log(
      `${recipe.name}: ${parameters.toLocaleString("en")} parameters, ${steps} steps; held out: ${figures.join(", ")}; ${output}`,
    );
  }
  return 0;
}

/** `statespace train`: a model from a recipe in a JSON file, or a checkpoint that goes on learning. */
export const train: Command = {
  summary: "trains a model as a JSON file says, or a checkpoint on your files; can be interrupted and resumed",
  usage: USAGE,
  run,
};
