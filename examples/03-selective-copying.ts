/**
 * Selective copying: data tokens stand at random places in noise and are to be repeated in order at the end.
 *
 *   node --conditions=statespace-source examples/03-selective-copying.ts [--full] [--only mamba,gru]
 *
 * A filter that treats all times alike (S4) cannot skip the noise, since the spacing changes from row to row; Mamba's selection can.
 * Full: 16 tokens of a vocabulary of 16 among 256 steps. Every model first trains on shorter rows (48 steps), which is cheaper, then on
 * those of 256 that it is tested on. Source: Gu and Dao 2023 (arXiv 2312.00752), table 1, shortened from 4,096 steps and 400,000 updates.
 */
import { selectiveCopying } from "@statespace/datasets";
import { Model, modelObjective, type LayerSettings, type Trainable } from "@statespace/models";
import { percent, saveResults, startRun, trainTask, type TaskResult } from "./experiment.ts";
import { gatedS4Trainable } from "./gatedS4.ts";

const run = await startRun();
const setting = run.full
  ? {
      vocabSize: 16,
      nTokens: 16,
      dModel: 64,
      stages: [
        { seqLen: 48, steps: 4000 },
        { seqLen: 256, steps: 8000 },
      ],
      batchSize: 64,
      learningRate: 2e-3,
      evaluateEvery: 250,
      until: 0.9995,
      heldOutRows: 256,
    }
  : {
      vocabSize: 8,
      nTokens: 4,
      dModel: 32,
      stages: [
        { seqLen: 12, steps: 500 },
        { seqLen: 32, steps: 300 },
      ],
      batchSize: 16,
      learningRate: 5e-3,
      evaluateEvery: 100,
      until: 0.999,
      heldOutRows: 128,
    };
const { vocabSize, nTokens, dModel, stages } = setting;

/** A stack of one kind of layer, made about as large as two of Mamba's. */
function stack(layer: LayerSettings, layers: number, mlp = 0): () => Trainable & { dispose(): void } {
  return () => {
    const model = new Model(
      {
        dModel,
        encoder: { kind: "embedding", vocabSize },
        layers: Array<LayerSettings>(layers).fill(layer),
        head: { kind: "language" },
        norm: "rms",
        mlp,
      },
      1,
    );
    return { ...modelObjective(model), dispose: () => model.dispose() };
  };
}

const variants: Readonly<
  Record<string, { readonly title: string; readonly make: () => Trainable & { dispose(): void } }>
> = {
  mamba: { title: "Mamba", make: stack({ kind: "mamba" }, 2) },
  gatedS4: {
    title: "S4D in Mamba's block",
    make: () => gatedS4Trainable({ vocabSize, dModel, dState: 16, layers: 2, seed: 1 }),
  },
  s4: { title: "S4D, no gate", make: stack({ kind: "s4d", dState: 32, output: "linear" }, 4) },
  gru: { title: "GRU", make: stack({ kind: "gru" }, 2) },
  attention: { title: "Transformer", make: stack({ kind: "attention", nHeads: 4 }, 2, dModel) },
};

const chosen = run.only.length > 0 ? run.only : run.full ? Object.keys(variants) : ["mamba", "gatedS4"];
const results: Record<string, { readonly shorter: TaskResult; readonly result: TaskResult }> = {};
console.log(`accuracy                 ${stages.map(({ seqLen }) => `l = ${seqLen}`.padStart(9)).join(" ")}`);
for (const name of chosen) {
  const { title, make } = variants[name]!;
  const trainable = make();
  const shorter = await trainTask(trainable, selectiveCopying({ vocabSize, nTokens, seqLen: stages[0]!.seqLen }), {
    ...setting,
    ...stages[0]!,
    seed: 1,
    minutes: run.minutes && 0.35 * run.minutes,
  });
  const result = await trainTask(trainable, selectiveCopying({ vocabSize, nTokens, seqLen: stages[1]!.seqLen }), {
    ...setting,
    ...stages[1]!,
    seed: 2,
    minutes: run.minutes && 0.65 * run.minutes,
  });
  trainable.dispose();
  results[title] = { shorter, result };
  const [steps, seconds] = [shorter.steps + result.steps, shorter.seconds + result.seconds];
  console.log(
    `${title.padEnd(22)} ${percent(shorter.accuracy).padStart(9)} ${percent(result.accuracy).padStart(9)}  ${result.parameters.toLocaleString("en").padStart(7)} parameters, ${steps} updates of ${setting.batchSize} rows, ${seconds.toFixed(0)} s`,
  );
  if (run.full) saveResults("03-selective-copying", run, setting, results);
}

const [mamba, lti] = [results["Mamba"]?.result, results["S4D in Mamba's block"]?.result];
if (mamba && !(mamba.accuracy > 0.95)) throw new Error("Mamba did not learn to copy");
if (mamba && lti && !(mamba.accuracy > lti.accuracy + 0.05)) throw new Error("selection made no difference");
