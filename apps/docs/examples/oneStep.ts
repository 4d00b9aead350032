import { AdamW, cpuBackend, Model, Rng, setBackend } from "statespace";
import {
  checkpointName,
  countedTargets,
  countSteps,
  countTargets,
  estimateMemory,
  IGNORED_TARGET,
  modelObjective,
} from "@statespace/models";
import { NO_TARGET, OPTIMIZERS, trainedParameters, trainStep } from "@statespace/models";

await setBackend(cpuBackend());
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 4 },
  layers: ["mamba"],
  head: { kind: "language" },
});
const batch = {
  inputs: Int32Array.of(0, 1, 2),
  targets: Int32Array.of(1, 2, NO_TARGET),
  shape: [1, 3],
  targetShape: [1, 3],
};
console.log(countSteps(batch), countTargets(batch), countedTargets(batch).includes(IGNORED_TARGET)); // 3; 2; true
const trainable = modelObjective(model);
console.log(estimateMemory(model, trainable, batch).total, "bytes a step");
const optimizer = new AdamW(trainedParameters(model, "encoder.weight"), { learningRate: 0.01 }); // all but these
const { measures } = trainStep(trainable, optimizer, [batch], { learningRate: 0.01, rng: new Rng(1) });
console.log(await measures.data(), checkpointName(100), OPTIMIZERS);
