import { cpuBackend, Model, setBackend } from "statespace";
import { checkedTimes, flatSequence, gapsOf, inputWidth, usualGap } from "@statespace/models";

await setBackend(cpuBackend());
console.log(gapsOf([0, 1, 3, 3.5], 4, 1, "my series")); // time since the step before, the usual one being 1: 1 1 2 0.5
const encoder = { kind: "linear", channels: 2 } as const;
const head = { kind: "classification", classes: 2 } as const;
const model = new Model({ dModel: 8, encoder, layers: ["s4d"], head, irregular: true }); // steps come at times of their own
console.log(inputWidth(encoder), await usualGap(model), checkedTimes(model, [[0, 1]], 1, "predict"));
console.log(
  flatSequence(
    model,
    [
      [1, 2],
      [3, 4],
    ],
    "predict",
  ).length,
  "steps of two channels",
);
