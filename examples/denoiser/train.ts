/**
 * Trains a denoiser on speech that espeak-ng says and noise that is drawn.
 *
 *   node --conditions=statespace-source examples/denoiser/train.ts --minutes 7 --out FOLDER [--backend webgpu] [--utterances 1200] [--seed 1]
 *
 * FOLDER then holds a model for `load` and `Denoiser`, and the curve of its training.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { Rng, setBackend } from "@statespace/core";
import { loadFixture, noiseKinds, randomNoise } from "@statespace/datasets";
import { cosineSchedule, Model, progressReporter, savePretrained, toJsonLine } from "@statespace/models";
import { fit } from "statespace";
import { denoiser } from "./model.ts";
import { HELD_OUT_NOISES } from "./noises.ts";
import { babble, SAMPLE_RATE, spoken, utterances } from "./speech.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "7" },
    out: { type: "string", default: "denoiser" },
    backend: { type: "string", default: "webgpu" },
    utterances: { type: "string", default: "1200" },
    batch: { type: "string", default: "48" },
    rate: { type: "string", default: "2e-3" },
    seed: { type: "string", default: "1" },
  },
});
await setBackend(values.backend === "webgpu" ? webGpuBackend() : wasmBackend());
mkdirSync(values.out, { recursive: true });
const seed = Number(values.seed);
const text = new TextDecoder().decode(await loadFixture("moby-dick-opening.txt"));
console.error("speaking");
const clean = await spoken(utterances(seed, Number(values.utterances), "train", text.slice(0, text.length * 0.8)));
console.error(`${Math.round(clean.reduce((sum, { length }) => sum + length, 0) / SAMPLE_RATE / 60)} minutes of speech`);
const rng = new Rng(seed);
const length = 6 * SAMPLE_RATE;
const kinds = noiseKinds.filter((kind) => !HELD_OUT_NOISES.includes(kind));
const noise = Array.from({ length: 500 }, (_, i) =>
  i % 5 === 0 ? babble(rng, clean, length, 3 + rng.integer(6)) : randomNoise(rng, { length, kinds }),
);
const model = new Model(denoiser, seed);
console.error(`${model.size} weights; ${noise.length} noises`);
const report = progressReporter(process.stderr);
const { heldOut, steps } = await fit(
  model,
  { clean, noise, snr: [-6, 15], seconds: 2 },
  {
    maxMinutes: Number(values.minutes),
    batchSize: Number(values.batch),
    heldOut: 0.04,
    learningRate: Number(values.rate),
    optimizer: { weightDecay: 0.01 },
    ema: 0.999,
    schedule: cosineSchedule({ warmUp: 0.03, final: 0.01 }),
    evaluateEvery: 500,
    seed,
    onEvent: (event) => {
      report(event);
      if (event.kind !== "step" || event.step % 20 === 0)
        appendFileSync(join(values.out, "metrics.jsonl"), `${toJsonLine(event)}\n`);
    },
  },
);
await savePretrained(model, values.out, { dtype: "F16" });
console.log(`${model.size} weights after ${steps} steps, held-out loss ${heldOut?.loss}, in ${values.out}`);
