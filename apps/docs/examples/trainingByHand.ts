import { cosineSchedule, cpuBackend, evaluate, memoryStore, Model, setBackend, train } from "statespace";
import {
  constantSchedule,
  modelObjective,
  progressReporter,
  progressText,
  pruneCheckpoints,
  restoreWeights,
} from "@statespace/models";
import { tensorBoardHeader, tensorBoardRecord, toJsonLine, wsdSchedule } from "@statespace/models";
import { parity, streamTask } from "@statespace/datasets";

await setBackend(cpuBackend());
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 2 },
  layers: ["mamba"],
  head: { kind: "language" },
});
const [bits, store] = [streamTask(parity(), { batchSize: 4, seed: 1 }), memoryStore()];
const schedule = cosineSchedule({ warmUp: 0.1 }); // or constantSchedule, wsdSchedule: a share of the rate at each moment of the run
const options = { steps: 4, schedule, optimizer: { learningRate: 0.01 }, checkpoints: { store, every: 2 } } as const;
const report = progressReporter({ write: (text: string) => console.log("reported:", text.trim()) });
for await (const event of train(modelObjective(model), bits, options)) {
  report(event);
  console.log(progressText(event), toJsonLine(event).length, tensorBoardRecord(event, 0)?.length);
}
await pruneCheckpoints(store, 1);
await restoreWeights(store, model.parameters); // of the newest checkpoint
const { loss } = await evaluate(modelObjective(model), [bits.nextBatch()]);
console.log(loss, constantSchedule()(0.5), wsdSchedule()(1), tensorBoardHeader(0).length);
