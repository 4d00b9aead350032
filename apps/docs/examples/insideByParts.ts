import { cpuBackend, Model, setBackend, tensor } from "statespace";
import { inspect } from "@statespace/models";

await setBackend(cpuBackend());
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers: ["mamba", "attention"],
  head: { kind: "language" },
});
const { hidden, mixers } = inspect(model, tensor([1, 2, 3], [1, 3], "int32"));
console.log(
  hidden.map(({ shape }) => shape.join(" x ")),
  mixers.map((told) => Object.keys(told)),
);
