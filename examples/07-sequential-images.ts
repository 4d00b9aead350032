/**
 * Digits read pixel by pixel: a sequence model that must remember what it saw hundreds of steps ago.
 *
 *   node --conditions=statespace-source examples/07-sequential-images.ts [--full] [--only s4d,lstm]
 *
 * Short form: the 8 by 8 digits that travel with @statespace/datasets, 64 steps. Full: 9,000 real MNIST digits for training and 1,000
 * held out (`fetch-data mnist`), 784 steps. Source: Gu et al. 2021 (arXiv 2111.00396), section 4.2; S4D: arXiv 2206.11893.
 */
import {
  loadDigits,
  loadFixture,
  loadIdxFolder,
  orderedBatches,
  shuffledBatches,
  splitDataset,
  type ImageDataset,
} from "@statespace/datasets";
import {
  cosineSchedule,
  evaluate,
  progressReporter,
  Model,
  modelObjective,
  train,
  type EvaluationEvent,
  type LayerSettings,
  type StepEvent,
  type TrainingBatch,
} from "@statespace/models";
import { percent, saveResults, startRun } from "./experiment.ts";

const run = await startRun();
const setting = run.full
  ? { dModel: 64, layers: 4, dState: 32, epochs: 8, batchSize: 32, learningRate: 4e-3, dropout: 0.05 }
  : { dModel: 32, layers: 2, dState: 16, epochs: 20, batchSize: 32, learningRate: 1e-2, dropout: 0 };
const { dModel, batchSize } = setting;

async function load(): Promise<{ train: ImageDataset; test: ImageDataset; seqLen: number }> {
  if (!run.full) {
    const { train: training, test } = splitDataset(await loadDigits(await loadFixture("digits.csv.gz")), {
      validation: 0,
      test: 300,
      seed: 1,
    });
    return { train: training, test, seqLen: 64 };
  }
  const { train: training, test } = await loadIdxFolder(new URL("../.data/mnist", import.meta.url));
  return { train: training, test, seqLen: 784 };
}

const variants: Readonly<
  Record<string, { readonly title: string; readonly layer: LayerSettings; readonly layers: number }>
> = {
  s4d: {
    title: "S4D",
    layer: { kind: "s4d", dState: setting.dState, deltaMin: 1 / 784, learningRates: { A: 1e-3, B: 1e-3, delta: 1e-3 } },
    layers: setting.layers,
  },
  hippo: {
    title: "S4, HiPPO start",
    layer: { kind: "s4", dState: setting.dState, deltaMin: 1 / 784, learningRates: { A: 1e-3, B: 1e-3, delta: 1e-3 } },
    layers: setting.layers,
  },
  random: {
    title: "S4D, random start",
    layer: {
      kind: "s4d",
      init: "random",
      dState: setting.dState,
      deltaMin: 1 / 784,
      learningRates: { A: 1e-3, B: 1e-3, delta: 1e-3 },
    },
    layers: setting.layers,
  },
  lstm: { title: "LSTM", layer: { kind: "lstm", dHidden: run.full ? 112 : dModel }, layers: 1 },
};

interface Result {
  readonly parameters: number;
  readonly accuracy: number;
  readonly seconds: number;
  readonly steps: number;
  readonly curve: readonly (readonly [number, number])[];
}

const data = await load();
const stepsAnEpoch = Math.ceil(data.train.length / batchSize);

async function trainOne(layer: LayerSettings, layers: number): Promise<Result> {
  const model = new Model(
    {
      dModel,
      encoder: { kind: "linear", channels: 1 },
      layers: Array<LayerSettings>(layers).fill(layer),
      head: { kind: "classification", classes: 10 },
      dropout: setting.dropout,
    },
    1,
  );
  const objective = modelObjective(model);
  const show = progressReporter(process.stderr);
  const held = (): Iterable<TrainingBatch> => orderedBatches(data.test, 50);
  const steps = setting.epochs * stepsAnEpoch;
  const evaluations: EvaluationEvent[] = [];
  let last: StepEvent | undefined;
  const events = train(objective, shuffledBatches(data.train, { batchSize, seed: 1 }), {
    steps,
    ...(run.minutes === undefined ? {} : { maxMinutes: run.minutes }),
    optimizer: { learningRate: setting.learningRate, weightDecay: 0.01 },
    schedule: cosineSchedule({ warmUp: 0.1 }),
    evaluation: { every: stepsAnEpoch, batches: held },
  });
  for await (const event of events) {
    show(event);
    if (event.kind === "step") last = event;
    if (event.kind === "evaluation") evaluations.push(event);
  }
  const { accuracy } = await evaluate(objective, held());
  const parameters = model.size;
  model.dispose();
  return {
    parameters,
    accuracy: accuracy!,
    seconds: last!.seconds,
    steps: last!.step,
    curve: evaluations.map((event) => [event.step / stepsAnEpoch, event.accuracy!]),
  };
}

const chosen = run.only.length > 0 ? run.only : run.full ? Object.keys(variants) : ["s4d"];
const results: Record<string, Result> = {};
console.log(
  `${data.train.length} images of ${data.seqLen} steps, ${data.test.length} held out, ${setting.epochs} epochs`,
);
for (const name of chosen) {
  const { title, layer, layers } = variants[name]!;
  const result = await trainOne(layer, layers);
  results[title] = result;
  console.log(
    `${title.padEnd(18)} ${percent(result.accuracy).padStart(8)} held out  ${result.parameters.toLocaleString("en").padStart(7)} parameters, ${result.steps} updates, ${result.seconds.toFixed(0)} s`,
  );
  if (run.full) saveResults("07-sequential-images", run, setting, results);
}
const s4d = results["S4D"];
if (s4d && !(s4d.accuracy > 0.9)) throw new Error("S4D did not learn to read digits");
