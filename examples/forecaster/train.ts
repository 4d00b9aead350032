/**
 * Trains a forecaster on generated series alone.
 *
 *   node --conditions=statespace-source examples/forecaster/train.ts --minutes 25 --out FOLDER [--threads 1] [--init FOLDER] [--resume]
 *
 * `--init` goes on from the weights of another such folder, at a third of the rate. FOLDER then holds a model for `load` and `predict`, and the
 * curve of its training.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import {
  cosineSchedule,
  folderStore,
  fromPretrained,
  Model,
  progressReporter,
  savePretrained,
  toJsonLine,
  train,
} from "@statespace/models";
import { everyStep, forecaster } from "./model.ts";
import { everyStepObjective, RandomSeriesStream } from "./objective.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "25" },
    out: { type: "string", default: "forecaster" },
    threads: { type: "string", default: "1" },
    init: { type: "string" },
    resume: { type: "boolean", default: false },
  },
});
await setBackend(wasmBackend({ threads: Number(values.threads) }));
mkdirSync(values.out, { recursive: true });
const model = new Model(everyStep, 1);
if (values.init !== undefined) {
  const begun = await fromPretrained(values.init);
  for (const parameter of model.parameters) parameter.assign(await begun.parameter(parameter.name).read());
  begun.dispose();
}
const rate = values.init === undefined ? 4e-3 : 1.3e-3;
const report = progressReporter(process.stderr);
const heldOut = new RandomSeriesStream(99, 32, [128]);
const batches = Array.from({ length: 4 }, () => heldOut.nextBatch());
for await (const event of train(
  everyStepObjective(model),
  new RandomSeriesStream(values.init === undefined ? 1 : 2, 16, [64, 128, 128, 256]),
  {
    maxMinutes: Number(values.minutes),
    optimizer: { learningRate: rate, weightDecay: 0.05 },
    ema: 0.99,
    schedule: cosineSchedule({ warmUp: 0.03, final: 0.01 }),
    evaluation: { batches: () => batches, every: 100 },
    checkpoints: { store: folderStore(join(values.out, "checkpoints")), every: 100, keep: 1 },
    resume: values.resume,
  },
)) {
  report(event);
  if (event.kind !== "step" || event.step % 10 === 0)
    appendFileSync(join(values.out, "metrics.jsonl"), `${toJsonLine(event)}\n`);
}
const shipped = new Model(forecaster, "empty");
for (const parameter of model.parameters) shipped.parameter(parameter.name).assign(await parameter.read());
await savePretrained(shipped, values.out, { dtype: "F16" });
console.log(`${shipped.size} weights, in ${values.out}`);
