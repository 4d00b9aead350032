import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdamW, cpuBackend, folderStore, Model, setBackend, train } from "statespace";
import { modelObjective, restoreTraining, saveTraining } from "@statespace/models";
import { parity, streamTask } from "@statespace/datasets";

await setBackend(cpuBackend());
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 2 },
  layers: ["mamba"],
  head: { kind: "language" },
});
const store = folderStore(await mkdtemp(join(tmpdir(), "run-"))); // or memoryStore()
const run = (steps: number) =>
  train(modelObjective(model), streamTask(parity(), { batchSize: 2, seed: 1 }), {
    steps,
    checkpoints: { store, every: 2 },
    resume: true,
  });
for await (const event of run(2)) if (event.kind === "end") console.log("stopped after", event.step);
for await (const event of run(4)) if (event.kind === "step") console.log("goes on with step", event.step); // bit for bit
const optimizer = new AdamW(model.parameters);
const names = await store.names();
console.log(names, typeof restoreTraining, typeof saveTraining, optimizer.steps); // what `train` does with a store, for loops of one's own
