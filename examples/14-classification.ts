/**
 * Which class is a sequence of: S4D, Mamba and a GRU of about the same size, each at the learning rate that suits it.
 *
 *   node --conditions=statespace-source examples/14-classification.ts [--full] [--variant TASK] [--only s4d,mamba,gru]
 *
 * Every model gets the same number of updates, at the learning rate with which a quarter of them does best on rows that are neither
 * learnt from nor reported. Short form: handwritten digits of 8 by 8 pixels. Full: five tasks (`--variant digits|images|permuted|listOps|spoken`);
 * images need `fetch-data mnist`, spoken digits need espeak-ng.
 */
import { cosineSchedule, evaluate, Model, modelObjective, train, type LayerSettings } from "@statespace/models";
import { tasks, type ClassificationTask } from "./classification/tasks.ts";
import { percent, saveResults, startRun } from "./experiment.ts";

const run = await startRun();
const BATCH = 32;
const setting = { batchSize: BATCH, layers: 2, rates: run.full ? [1e-3, 3e-3, 1e-2] : [1e-2], seed: 1 };

const models: Readonly<
  Record<string, { readonly title: string; readonly dModel: number; readonly layer: (seqLen: number) => LayerSettings }>
> = {
  s4d: {
    title: "S4D",
    dModel: 60,
    layer: (seqLen) => ({
      kind: "s4d",
      dState: 32,
      deltaMin: 1 / seqLen,
      learningRates: { A: 1e-3, B: 1e-3, delta: 1e-3 },
    }),
  },
  mamba: { title: "Mamba", dModel: 40, layer: () => ({ kind: "mamba" }) },
  gru: { title: "GRU", dModel: 48, layer: () => ({ kind: "gru" }) },
};

interface Tried {
  readonly rate: number;
  readonly validation: number;
  readonly accuracy: number;
  readonly parameters: number;
  readonly steps: number;
  readonly seconds: number;
}

async function trainOne(task: ClassificationTask, name: string, rate: number, steps: number): Promise<Tried> {
  const { dModel, layer } = models[name]!;
  const model = new Model(
    {
      dModel,
      encoder: task.encoder,
      layers: Array<LayerSettings>(setting.layers).fill(layer(task.seqLen)),
      head: { kind: "classification", classes: 10 },
    },
    setting.seed,
  );
  const objective = modelObjective(model);
  const start = performance.now();
  const events = train(objective, task.training(BATCH, setting.seed), {
    steps,
    optimizer: { learningRate: rate, weightDecay: 0.01 },
    schedule: cosineSchedule({ warmUp: 0.1 }),
  });
  for await (const event of events)
    if (event.kind === "step" && process.stderr.isTTY) process.stderr.write(`\r${event.step} `);
  const seconds = (performance.now() - start) / 1000;
  const { accuracy: validation } = await evaluate(objective, task.validation());
  const { accuracy } = await evaluate(objective, task.test());
  const tried = { rate, validation: validation!, accuracy: accuracy!, parameters: model.size, steps, seconds };
  model.dispose();
  return tried;
}

const chosen = run.only.length > 0 ? run.only : run.full ? Object.keys(models) : ["s4d"];
const variant = run.variant === "" ? (run.full ? Object.keys(tasks) : ["digits"]) : [run.variant];
for (const taskName of variant) {
  const task = await tasks[taskName]!();
  const steps = run.full ? task.steps : 300;
  console.log(`${taskName}: ${task.about}; ${task.seqLen} steps`);
  const results: Record<string, Tried & { readonly tried: readonly Tried[] }> = {};
  for (const name of chosen) {
    const tried: Tried[] = [];
    if (setting.rates.length > 1)
      for (const rate of setting.rates) tried.push(await trainOne(task, name, rate, Math.ceil(steps / 4)));
    const { rate } = tried.reduce(
      (a, b) => (b.validation > a.validation ? b : a),
      tried[0] ?? { rate: setting.rates[0]!, validation: 0 },
    );
    const best = await trainOne(task, name, rate, steps);
    results[models[name]!.title] = { ...best, tried };
    console.log(
      `${models[name]!.title.padEnd(6)} ${percent(best.accuracy).padStart(8)} held out at ${best.rate}  ${best.parameters.toLocaleString("en")} parameters, ${steps} updates, ${best.seconds.toFixed(0)} s (${tried.map((each) => `${each.rate}: ${percent(each.validation)}`).join(", ")})`,
    );
    if (run.full)
      saveResults(
        `14-classification-${taskName}`,
        { ...run, variant: taskName },
        { ...setting, about: task.about, seqLen: task.seqLen },
        results,
      );
    if (!run.full && !(best.accuracy > 0.85)) throw new Error(`${name} did not learn to read digits`);
  }
}
