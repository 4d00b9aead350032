/**
 * Which class is a sequence of: S4D, Mamba and a GRU of about the same size, each at the learning rate that suits it.
 *
 *   node --conditions=statespace-source examples/14-classification.ts [--full] [--variant TASK] [--only s4d,mamba,gru] [--atOnce 1]
 *
 * Every model gets the same number of updates (or those that `--minutes` leaves time for), at the learning rate with which a quarter of them does best on
 * rows that are neither learnt from nor reported. Short form: handwritten digits of 8 by 8 pixels. Full: seven tasks
 * (`--variant digits|images|permuted|pixels|permutedPixels|listOps|spoken`); MNIST's need `fetch-data mnist`, spoken digits need espeak-ng.
 * `--atOnce 1` tries the learning rates side by side, each in a process of its own (which is what `--rate R` is for).
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { cosineSchedule, evaluate, Model, modelObjective, train, type LayerSettings } from "@statespace/models";
import { tasks, type ClassificationTask } from "./classification/tasks.ts";
import { percent, saveResults, startRun } from "./experiment.ts";

const run = await startRun(["rate", "atOnce"]);
const started = performance.now();
const BATCH = 32;
const setting = { batchSize: BATCH, layers: 2, rates: run.full ? [3e-3, 1e-2, 3e-2, 1e-1] : [1e-2], seed: 1 };
/** Of the time there is, what judging takes. */
const JUDGING = 0.4;

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

async function trainOne(
  task: ClassificationTask,
  name: string,
  rate: number,
  steps: number,
  minutes?: number,
): Promise<Tried> {
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
    ...(minutes === undefined ? {} : { maxMinutes: minutes }),
    optimizer: { learningRate: rate, weightDecay: 0.01 },
    schedule: cosineSchedule({ warmUp: 0.1 }),
  });
  let taken = 0;
  for await (const event of events) {
    if (event.kind === "step") taken = event.step;
    if (event.kind === "step" && process.stderr.isTTY) process.stderr.write(`\r${event.step} `);
  }
  const seconds = (performance.now() - start) / 1000;
  const { accuracy: validation } = await evaluate(objective, task.validation());
  const { accuracy } = await evaluate(objective, task.test());
  const tried = { rate, validation: validation!, accuracy: accuracy!, parameters: model.size, steps: taken, seconds };
  model.dispose();
  return tried;
}

/** A quarter of the updates at each rate, one after the other or side by side. */
async function tryRates(task: ClassificationTask, taskName: string, name: string, steps: number): Promise<Tried[]> {
  const { rates } = setting;
  if (rates.length === 1) return [];
  if (run.own["atOnce"] !== undefined) return Promise.all(rates.map((rate) => elsewhere(taskName, name, rate)));
  const tried: Tried[] = [];
  for (const rate of rates) tried.push(await trainOne(task, name, rate, steps));
  return tried;
}

async function elsewhere(taskName: string, name: string, rate: number): Promise<Tried> {
  const words = ["--full", "--variant", taskName, "--only", name, "--backend", run.backend, "--rate", String(rate)];
  if (run.threads !== undefined) words.push("--threads", String(run.threads));
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(await text(child.stdout)) as Tried;
}

const chosen = run.only.length > 0 ? run.only : run.full ? Object.keys(models) : ["s4d"];
const variant = run.variant === "" ? (run.full ? Object.keys(tasks) : ["digits"]) : [run.variant];
for (const taskName of variant) {
  const task = await tasks[taskName]!();
  const steps = run.full ? task.steps : 300;
  const few = Math.ceil(steps / 4);
  if (run.own["rate"] !== undefined) {
    console.log(JSON.stringify(await trainOne(task, chosen[0]!, Number(run.own["rate"]), few)));
    break;
  }
  console.log(`${taskName}: ${task.about}; ${task.seqLen} steps`);
  const results: Record<string, Tried & { readonly tried: readonly Tried[] }> = {};
  for (const name of chosen) {
    const tried = await tryRates(task, taskName, name, few);
    const { rate } = tried.reduce(
      (a, b) => (b.validation > a.validation ? b : a),
      tried[0] ?? { rate: setting.rates[0]!, validation: 0 },
    );
    const left = run.minutes === undefined ? undefined : run.minutes - (performance.now() - started) / 60_000 - JUDGING;
    const best = await trainOne(task, name, rate, steps, left);
    results[models[name]!.title] = { ...best, tried };
    console.log(
      `${models[name]!.title.padEnd(6)} ${percent(best.accuracy).padStart(8)} held out at ${best.rate}  ${best.parameters.toLocaleString("en")} parameters, ${best.steps} updates, ${best.seconds.toFixed(0)} s (${tried.map((each) => `${each.rate}: ${percent(each.validation)}`).join(", ")})`,
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
