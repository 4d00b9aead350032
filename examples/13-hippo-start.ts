/**
 * What HiPPO buys: the same LSSL layer, its matrix trained from a HiPPO start or from a random one, on a task that is nothing but memory.
 *
 *   node --conditions=statespace-source examples/13-hippo-start.ts [--full] [--only legs,random]
 *
 * The input is band-limited noise; the output is the input half a row ago (300 of 600 steps in full, 24 of 64 in the short form). The
 * error is relative: a model that answers 0 has 1. Everything else is the same from either start: sizes, steps, learning rates, batches.
 * Source: HiPPO against a random start is the ablation of LSSL (arXiv 2110.13985) and S4 (arXiv 2111.00396, section 4.4), there on images.
 */
import { delay, streamTask } from "@statespace/datasets";
import { cosineSchedule, progressReporter, Model, modelObjective, train, type TrainingBatch } from "@statespace/models";
import { percent, saveResults, startRun } from "./experiment.ts";

const run = await startRun();
const setting = run.full
  ? {
      seqLen: 600,
      lag: 300,
      cutoff: 0.02,
      dModel: 8,
      dState: 48,
      steps: 600,
      batchSize: 16,
      learningRate: 5e-3,
      every: 50,
    }
  : {
      seqLen: 64,
      lag: 24,
      cutoff: 0.1,
      dModel: 4,
      dState: 16,
      steps: 200,
      batchSize: 16,
      learningRate: 1e-2,
      every: 50,
    };
const { seqLen, dModel, dState, batchSize } = setting;

const variants = { legs: "LSSL, HiPPO-LegS start", random: "LSSL, random start" } as const;

interface Result {
  readonly parameters: number;
  /** Root mean square error over that of the signal, held out. */
  readonly error: number;
  readonly seconds: number;
  readonly steps: number;
  /** [update, error] */
  readonly curve: readonly (readonly [number, number])[];
}

async function trainFrom(measure: keyof typeof variants): Promise<Result> {
  const layer = {
    kind: "lssl",
    measure,
    dState,
    deltaMin: 1 / seqLen,
    deltaMax: 8 / seqLen,
    activation: "none",
    output: "linear",
    ssmLearningRate: 1e-3,
  } as const;
  const model = new Model(
    {
      dModel,
      encoder: { kind: "linear", channels: 1 },
      layers: [layer],
      head: { kind: "regression", outputs: 1, pooling: "none" },
    },
    1,
  );
  const task = delay({ seqLen, lag: setting.lag, cutoff: setting.cutoff });
  const heldOut = (): TrainingBatch[] => {
    const stream = streamTask(task, { batchSize: 64, seed: 1, split: "validation" });
    return [{ ...stream.nextBatch(), reset: true }];
  };
  const show = progressReporter(process.stderr);
  const curve: [number, number][] = [];
  let seconds = 0;
  const events = train(modelObjective(model), streamTask(task, { batchSize, seed: 1 }), {
    steps: setting.steps,
    optimizer: { learningRate: setting.learningRate, weightDecay: 0 },
    schedule: cosineSchedule({ warmUp: 0.05, final: 0.05 }),
    evaluation: { every: setting.every, batches: heldOut },
  });
  for await (const event of events) {
    show(event);
    if (event.kind === "step") seconds = event.seconds;
    if (event.kind === "evaluation") curve.push([event.step, Math.sqrt(event.loss)]); // the signal's mean square is 1
  }
  const parameters = model.size;
  model.dispose();
  const [steps, error] = curve.at(-1)!;
  return { parameters, error, seconds, steps, curve };
}

const chosen = (run.only.length > 0 ? run.only : Object.keys(variants)) as (keyof typeof variants)[];
const results: Record<string, Result> = {};
console.log(
  `the input ${setting.lag} of ${seqLen} steps late, a state of ${dState} numbers a channel, ${dModel} channels`,
);
for (const measure of chosen) {
  const result = await trainFrom(measure);
  results[variants[measure]] = result;
  console.log(
    `${variants[measure].padEnd(24)} relative error ${percent(result.error).padStart(8)}  ${result.parameters.toLocaleString("en")} parameters, ${result.steps} updates, ${result.seconds.toFixed(0)} s`,
  );
  if (run.full) saveResults("13-hippo-start", run, setting, results);
}
const [legs, random] = [results[variants.legs], results[variants.random]];
if (legs && random && !(legs.error < 0.7 * random.error))
  throw new Error(`a HiPPO start made no difference: ${legs.error} and ${random.error}`);
