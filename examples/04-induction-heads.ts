/**
 * Induction heads: a special token stands somewhere in noise, followed by an answer; when it comes again, the answer is due.
 *
 *   node --conditions=statespace-source examples/04-induction-heads.ts [--full] [--only mamba,attention]
 *
 * A Mamba of two layers is trained on rows of up to 256 steps (shorter ones first, where one answer a row teaches sooner), then asked on
 * rows up to 4,096 times as long (a large learning rate and dropout keep it learning when every answer is right, and so reach further than
 * the rows it saw): its state is carried from chunk to chunk, so memory does not grow. Attention has to see the whole row,
 * so it is asked up to 4,096 steps. Short form: rows of 24 steps, tested to 256. Source: Gu and Dao 2023 (arXiv 2312.00752), section 4.1.2 and table 2.
 */
import { argMax, readInts, tensor, tidy } from "@statespace/core";
import { inductionHeads, streamInductionHeads } from "@statespace/datasets";
import { Model, modelObjective, type LayerSettings, type ModelState } from "@statespace/models";
import { percent, saveResults, startRun, trainTask, type TaskResult } from "./experiment.ts";

const run = await startRun();
const setting = run.full
  ? {
      vocabSize: 16,
      dModel: 64,
      dropout: 0.1,
      batchSize: 32,
      evaluateEvery: 100,
      learningRate: 6e-3,
      heldOutRows: 256,
      lengths: [64, 2 ** 20],
      stages: [
        { seqLen: 32, steps: 4000, until: 0.99 },
        { seqLen: 64, steps: 2000, until: 0.99 },
        { seqLen: 128, steps: 1000, until: 0.99 },
        { seqLen: 256, steps: 3000 },
      ],
    }
  : {
      vocabSize: 6,
      dModel: 32,
      dropout: 0,
      batchSize: 16,
      evaluateEvery: 100,
      learningRate: 4e-3,
      heldOutRows: 256,
      lengths: [16, 256],
      stages: [{ seqLen: 24, steps: 600 }],
    };
const { vocabSize, dModel, stages } = setting;
const { seqLen } = stages.at(-1)!;

const variants: Readonly<
  Record<
    string,
    { readonly title: string; readonly layer: LayerSettings; readonly mlp: number; readonly longest: number }
  >
> = {
  mamba: { title: "Mamba", layer: { kind: "mamba" }, mlp: 0, longest: setting.lengths[1]! },
  attention: {
    title: "Transformer",
    layer: { kind: "attention", nHeads: 4 },
    mlp: dModel,
    longest: Math.min(4096, setting.lengths[1]!),
  },
};

/** Share of `rows` rows of a length whose answer is right, the state carried over chunks where it has a fixed size. */
async function accuracyAt(model: Model, length: number, rows: number): Promise<number> {
  let state: ModelState | undefined;
  let right: Int32Array = new Int32Array();
  let answers = right;
  for (const { inputs, shape, targets } of streamInductionHeads({
    vocabSize,
    seqLen: length,
    batchSize: rows,
    seed: 77,
    chunkLen: model.constantState ? 2048 : length,
  })) {
    const ids = tensor(inputs, shape);
    const [l, before] = [shape[1]!, state];
    const result = tidy(() => {
      const { output, state: after } = model.forward(ids, { initialState: before, returnState: true });
      state = after;
      return argMax(output); // [b, l]
    });
    before?.dispose();
    const best = await readInts(result);
    right = Int32Array.from({ length: rows }, (_, row) => best[(row + 1) * l - 1]!);
    answers = Int32Array.from({ length: rows }, (_, row) => targets[(row + 1) * l - 1]!);
    for (const t of [ids, result]) t.dispose();
  }
  state?.dispose();
  return right.reduce((count, id, row) => count + (id === answers[row] ? 1 : 0), 0) / rows;
}

function sum(results: readonly TaskResult[], of: (result: TaskResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

interface Result {
  /** Training, a stage of row lengths each. */
  readonly stages: readonly TaskResult[];
  /** The last stage, with updates and seconds of all. */
  readonly trained: TaskResult;
  readonly table: readonly { readonly length: number; readonly rows: number; readonly accuracy: number }[];
}

async function trainAndAsk({ title, layer, mlp, longest }: (typeof variants)[string]): Promise<Result> {
  const model = new Model(
    {
      dModel,
      encoder: { kind: "embedding", vocabSize },
      layers: [layer, layer],
      head: { kind: "language", tie: true },
      norm: "rms",
      mlp,
      dropout: setting.dropout,
    },
    1,
  );
  const results: TaskResult[] = [];
  for (const [i, stage] of stages.entries()) {
    const spent = sum(results, ({ seconds }) => seconds) / 60;
    // The last stage has at least half of the time, and what the others leave.
    const minutes =
      run.minutes && (i === stages.length - 1 ? run.minutes - spent : (0.5 * run.minutes) / (stages.length - 1));
    results.push(
      await trainTask(modelObjective(model), inductionHeads({ vocabSize, seqLen: stage.seqLen }), {
        ...setting,
        ...stage,
        seed: 1 + i,
        minutes,
      }),
    );
  }
  const trained = {
    ...results.at(-1)!,
    steps: sum(results, ({ steps }) => steps),
    seconds: sum(results, ({ seconds }) => seconds),
  };
  console.log(
    `${title}, ${trained.parameters.toLocaleString("en")} parameters, trained on ${seqLen} steps: ${percent(trained.accuracy)} after ${trained.steps} updates of ${setting.batchSize} rows, ${trained.seconds.toFixed(0)} s`,
  );
  console.log("  length      rows   accuracy");
  const table = [];
  for (let length = setting.lengths[0]!; length <= longest; length *= 2) {
    const rows = Math.max(16, Math.min(256, 2 ** (model.constantState ? 21 : 16) / length));
    const accuracy = await accuracyAt(model, length, rows);
    table.push({ length, rows, accuracy });
    console.log(`  ${String(length).padEnd(11)} ${String(rows).padEnd(6)} ${percent(accuracy)}`);
  }
  model.dispose();
  return { stages: results, trained, table };
}

const chosen = run.only.length > 0 ? run.only : run.full ? Object.keys(variants) : ["mamba"];
const results: Record<string, Result> = {};
for (const name of chosen) {
  const { title } = variants[name]!;
  results[title] = await trainAndAsk(variants[name]!);
  if (run.full) saveResults("04-induction-heads", run, setting, results);
}

const mamba = results["Mamba"];
if (mamba && !(mamba.trained.accuracy > 0.95)) throw new Error("the task was not learnt");
if (mamba && !(mamba.table.find(({ length }) => length >= 4 * seqLen)!.accuracy > 0.8))
  throw new Error("what was learnt does not reach beyond the length it was learnt at");
