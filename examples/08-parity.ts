/**
 * Parity: whether the bits so far hold an odd number of ones. One bit of state is enough, but it must flip.
 *
 *   node --conditions=statespace-source examples/08-parity.ts [--full] [--only mamba2,mamba3]
 *
 * Mamba and Mamba-2 multiply their state by numbers in (0, 1): nothing can flip. Mamba-3 turns it, by an angle that the input chooses:
 * half a turn is the flip. Trained on rows of 32 bits (short form: 12), tested on longer ones.
 * Source: Mamba-3 (arXiv 2603.15569), state tracking; why positive eigenvalues fail: Grazzi et al. 2024 (arXiv 2411.12537).
 */
import { parity, streamTask } from "@statespace/datasets";
import { evaluate, Model, modelObjective } from "@statespace/models";
import { percent, saveResults, startRun, trainTask, type TaskResult } from "./experiment.ts";

const run = await startRun();
const setting = run.full
  ? {
      dModel: 32,
      seqLen: 32,
      steps: 3000,
      batchSize: 32,
      learningRate: 3e-3,
      evaluateEvery: 250,
      heldOutRows: 256,
      lengths: [32, 64, 128, 256],
    }
  : {
      dModel: 16,
      seqLen: 12,
      steps: 600,
      batchSize: 16,
      learningRate: 1e-2,
      evaluateEvery: 100,
      until: 0.999,
      heldOutRows: 128,
      lengths: [12, 24],
    };

// Half a turn at full rate takes a step of 1, ten times the largest that a language model starts with; all three get the same range.
const steps = { timeStepMin: 0.3, timeStepMax: 2 };
const heads = { dState: 16, headDim: 16, nHeads: setting.dModel / 8, ...steps };
const variants = {
  mamba: { title: "Mamba", settings: { dState: 16, ...steps } },
  mamba2: { title: "Mamba-2", settings: heads },
  mamba3: { title: "Mamba-3", settings: { ...heads, nRopeAngles: 8 } },
} as const;
const chosen = (
  run.only.length > 0 ? run.only : run.full ? Object.keys(variants) : ["mamba2", "mamba3"]
) as (keyof typeof variants)[];

interface Row extends TaskResult {
  readonly byLength: Readonly<Record<string, number>>;
}

/** Share of right answers at the last bit of rows of a length, where guessing shows most. */
async function lastBit(model: Model, seqLen: number): Promise<number> {
  const stream = streamTask(parity({ seqLen }), { batchSize: 64, seed: 11, split: "test" });
  const batches = Array.from({ length: 8 }, () => {
    const batch = stream.nextBatch();
    return {
      ...batch,
      targets: batch.targets.map((target, i) => ((i + 1) % seqLen === 0 ? target : -100)),
      reset: true,
    };
  });
  return (await evaluate(modelObjective(model), batches)).accuracy!;
}

console.log(`accuracy at the last bit  ${setting.lengths.map((l) => `l = ${l}`.padStart(9)).join(" ")}`);
const results: Record<string, Row> = {};
for (const name of chosen) {
  const { title, settings } = variants[name];
  const model = new Model(
    {
      dModel: setting.dModel,
      encoder: { kind: "embedding", vocabSize: 2 },
      layers: [{ kind: name, ...settings }],
      head: { kind: "language", tie: true },
      norm: "rms",
    },
    1,
  );
  const trained = await trainTask(modelObjective(model), parity({ seqLen: setting.seqLen }), {
    ...setting,
    seed: 1,
    minutes: run.minutes,
  });
  const byLength: Record<string, number> = {};
  for (const l of setting.lengths) byLength[l] = await lastBit(model, l);
  model.dispose();
  results[title] = { ...trained, byLength };
  const shares = setting.lengths.map((l) => percent(byLength[l]!).padStart(9)).join(" ");
  console.log(
    `${title.padEnd(25)} ${shares}  ${trained.parameters.toLocaleString("en")} parameters, ${trained.steps} updates, ${trained.seconds.toFixed(0)} s`,
  );
  if (run.full) saveResults("08-parity", run, setting, results);
}

const [two, three] = [results["Mamba-2"], results["Mamba-3"]];
const trainedAt = String(setting.seqLen);
if (three && !(three.byLength[trainedAt]! > 0.95)) throw new Error("Mamba-3 did not learn parity");
if (two && three && !(two.byLength[trainedAt]! < three.byLength[trainedAt]! - 0.1))
  throw new Error("Mamba-2 should not keep up");
