/**
 * Trains a forecaster on generated series alone.
 *
 *   node --conditions=statespace-source examples/forecaster/train.ts --minutes 7 --out FOLDER [--backend webgpu] [--series 60000] [--resume]
 *
 * FOLDER then holds a model for `load` and `predict`, and the curve of its training.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { setBackend } from "@statespace/core";
import {
  cosineSchedule,
  folderStore,
  Model,
  progressReporter,
  savePretrained,
  toJsonLine,
  train,
} from "@statespace/models";
import { CONTEXT, everyStep, forecaster, HORIZON } from "./model.ts";
import { everyStepObjective, SeriesStream } from "./objective.ts";
import { isDrawing, seriesBank } from "./seriesBank.ts";

if (!isDrawing) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "7" },
      out: { type: "string", default: "forecaster" },
      backend: { type: "string", default: "webgpu" },
      series: { type: "string", default: "60000" },
      batch: { type: "string", default: "48" },
      rate: { type: "string", default: "2e-3" },
      resume: { type: "boolean", default: false },
    },
  });
  await setBackend(values.backend === "webgpu" ? webGpuBackend() : wasmBackend());
  mkdirSync(values.out, { recursive: true });
  const count = Number(values.series);
  const bank = await seriesBank(1, count, CONTEXT + HORIZON);
  const heldOut = new SeriesStream(await seriesBank(2, 256, CONTEXT + HORIZON), 99, 32, [128, CONTEXT]);
  const batches = Array.from({ length: 6 }, () => heldOut.nextBatch());
  const model = new Model(everyStep, 1);
  console.error(`${model.size} weights, ${bank.length} series`);
  const report = progressReporter(process.stderr);
  for await (const event of train(
    everyStepObjective(model),
    new SeriesStream(bank, 1, Number(values.batch), [128, 256, CONTEXT, CONTEXT]),
    {
      maxMinutes: Number(values.minutes),
      optimizer: { learningRate: Number(values.rate), weightDecay: 0.05 },
      ema: 0.998,
      schedule: cosineSchedule({ warmUp: 0.03, final: 0.01 }),
      evaluation: { batches: () => batches, every: 500 },
      checkpoints: { store: folderStore(join(values.out, "checkpoints")), keep: 1 },
      resume: values.resume,
    },
  )) {
    report(event);
    if (event.kind !== "step" || event.step % 20 === 0)
      appendFileSync(join(values.out, "metrics.jsonl"), `${toJsonLine(event)}\n`);
  }
  const shipped = new Model(forecaster, "empty");
  for (const parameter of model.parameters) shipped.parameter(parameter.name).assign(await parameter.read());
  await savePretrained(shipped, values.out, { dtype: "F16" });
  console.log(`${shipped.size} weights, in ${values.out}`);
}
