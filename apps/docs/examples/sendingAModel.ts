import { compileKernels, wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { Model, modelFromMessage, type ModelMessage, modelToMessage } from "@statespace/models";

const module = await compileKernels(); // here; there, in an audio worklet, it is only run
await setBackend(wasmBackend({ module }));
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers: ["mamba"],
  head: { kind: "language" },
});
const message: ModelMessage = structuredClone(await modelToMessage(model)); // as postMessage does
console.log(modelFromMessage(message).size === model.size);
