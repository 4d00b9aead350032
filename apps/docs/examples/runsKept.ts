import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdamW, cpuBackend, folderStore, memoryStore, Model, Rng, setBackend, train } from "statespace";
import { modelObjective, restoreTraining, saveTraining } from "@statespace/models";
import { parity, streamTask } from "@statespace/datasets";

await setBackend(cpuBackend());
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 2 },
  layers: ["mamba"],
  head: { kind: "language" },
});
const store = folderStore(await mkdtemp(join(tmpdir(), "run-")));
const run = (steps: number) =>
  train(modelObjective(model), streamTask(parity(), { batchSize: 2, seed: 1 }), {
    steps,
    checkpoints: { store, every: 2 },
    resume: true,
  });
for await (const event of run(2)) if (event.kind === "end") console.log("stopped after", event.step);
for await (const event of run(4)) if (event.kind === "step") console.log("goes on with step", event.step); // bit for bit
const [optimizer, own] = [new AdamW(model.parameters), memoryStore()];
console.log(await store.names());
// what `train` does with a store, for a loop of one's own: everything that the rest of the run depends on
const [parameters, run4] = [model.parameters, { note: "my loop" }];
const progress = { step: 4, tokens: 8, seconds: 1, best: null, stale: 0, evaluated: 0 };
const name = await saveTraining(own, {
  parameters,
  optimizer,
  carried: undefined,
  progress,
  data: { seen: 8 },
  rng: new Rng(1),
  run: run4,
});
const restored = await restoreTraining(own, name, parameters, optimizer, { identity: run4, mayDiffer: false });
console.log(name, restored.progress.step, restored.data);
