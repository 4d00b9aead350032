import { join } from "node:path";
import { refuseUnknown } from "@statespace/core/backend";
import { tokenizerFiles } from "@statespace/text";
import {
  evaluate,
  folderStore,
  modelObjective,
  Model,
  savePretrained,
  train,
  type StreamState,
  type TrainingEvent,
} from "@statespace/models";
import { BestWeights } from "./bestWeights.ts";
import { MetricsFile } from "./metricsFile.ts";
import type { Recipe } from "./recipe.ts";
import { generationConfig, recipeModelConfig } from "./recipeModel.ts";
import { trainingReport } from "./report.ts";
import type { TrainedModel } from "./trainedModel.ts";
import { openTrainingData, type HeldOut, type TrainingData } from "./trainingData.ts";

export interface TrainRecipeOptions {
  /** Folder that the recipe's paths start from. */
  readonly base: string;
  /** Folder for the model, its metrics and checkpoints. */
  readonly output: string;
  /** "changed": also where the recipe or its data differ from those of the checkpoint. */
  readonly resume: boolean | "changed";
  /** Time budget, in place of the recipe's. */
  readonly maxMinutes?: number | undefined;
  /** Also writes a TensorBoard file beside metrics.jsonl. */
  readonly tensorBoard?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: TrainingEvent) => void;
}

const OPTIONS: Readonly<Record<keyof TrainRecipeOptions, true>> = {
  base: true,
  output: true,
  resume: true,
  maxMinutes: true,
  tensorBoard: true,
  signal: true,
  onEvent: true,
};

/**
 * Trains what a recipe says on the backend that is set, and writes a Hugging Face folder: config.json, model.safetensors, tokenizer.json,
 * training.json (recipe, loss curve, held-out figures), with metrics.jsonl and checkpoints/ beside them. The weights are those of the
 * evaluation with the lowest loss, which best/ holds while training goes on.
 * @throws FormatError for settings that do not fit; what `train` throws.
 */
export async function trainRecipe(recipe: Recipe, source: unknown, options: TrainRecipeOptions): Promise<TrainedModel> {
  refuseUnknown("trainRecipe", options, Object.keys(OPTIONS));
  const { output, resume, signal, onEvent } = options;
  const data = await openTrainingData(recipe, options.base);
  const model = new Model(recipeModelConfig(recipe, data), recipe.seed);
  try {
    const objective = modelObjective(model, { carryState: recipe.rows === "contiguous" });
    // A held-out text is read in order, with the state carried along, however the rows of training are cut.
    const measured = { ...modelObjective(model, { carryState: true }), loss: objective.loss };
    const metrics = await MetricsFile.open(join(output, "metrics.jsonl"), resume !== false, options.tensorBoard);
    const best = new BestWeights(join(output, "best"));
    const events = train(measured, data.stream, {
      ...(recipe.steps === undefined ? {} : { steps: recipe.steps }),
      ...budget(options.maxMinutes ?? recipe.maxMinutes),
      optimizer: recipe.optimizer,
      schedule: recipe.schedule,
      accumulate: recipe.accumulate,
      clipNorm: recipe.clipNorm,
      ...(recipe.ema !== undefined && { ema: recipe.ema }),
      evaluation: {
        batches: data.heldOut(recipe.evaluation.tokens).batches,
        every: recipe.evaluation.every,
        ...(recipe.evaluation.patience && { patience: recipe.evaluation.patience }),
      },
      checkpoints: {
        store: folderStore(join(output, "checkpoints")),
        keep: recipe.checkpoints.keep,
        ...(recipe.checkpoints.every && { every: recipe.checkpoints.every }),
      },
      resume,
      identity: { model: recipe.model as StreamState, tokenizer: { ...recipe.tokenizer } },
      seed: recipe.seed,
      ...(signal && { signal }),
    });
    for await (const event of events) {
      onEvent?.(event);
      await metrics.add(event);
      if (event.kind === "evaluation" && event.isBest) await best.save(model);
    }
    if (!endsBest(metrics.events)) await best.restore(model);
    const trained = await finalFigures(model, measured, data.heldOut(recipe.evaluation.finalTokens), metrics, signal);
    await writeModel(model, data, recipe, output, trainingReport(source, metrics.events, trained, model.backend.name));
    return trained;
  } finally {
    model.dispose();
  }
}

/** Whether the last evaluation was also the one with the lowest loss. */
function endsBest(events: readonly TrainingEvent[]): boolean {
  const last = events.findLast((event) => event.kind === "evaluation");
  return last === undefined || last.isBest;
}

function budget(maxMinutes: number | undefined): { maxMinutes?: number } {
  return maxMinutes === undefined ? {} : { maxMinutes };
}

async function finalFigures(
  model: Model,
  objective: Parameters<typeof evaluate>[0],
  heldOut: HeldOut,
  metrics: MetricsFile,
  signal: AbortSignal | undefined,
): Promise<TrainedModel> {
  const result = await evaluate(objective, heldOut.batches(), signal ? { signal } : {});
  const end = metrics.events.findLast(({ kind }) => kind === "end");
  const bitsPerByte =
    heldOut.bytes === undefined ? undefined : (result.loss * result.targets) / (Math.LN2 * heldOut.bytes);
  return {
    parameters: model.size,
    steps: end?.step ?? 0,
    seconds: end?.kind === "end" ? end.seconds : 0,
    heldOut: { ...result, bitsPerByte },
  };
}

async function writeModel(
  model: Model,
  data: TrainingData,
  { dtype }: Recipe,
  output: string,
  report: object,
): Promise<void> {
  const files = {
    ...(data.tokenizer && tokenizerFiles(data.tokenizer)),
    "generation_config.json": generationConfig(data),
    "training.json": `${JSON.stringify(report, null, 2)}\n`,
  };
  await savePretrained(model, output, { dtype, files });
}
