import { cpuBackend, setBackend, tensor } from "statespace";
import { classAccuracy } from "@statespace/models";

await setBackend(cpuBackend());
const logits = tensor([2, 0, 0, 1, 5, 0], [3, 2]);
console.log(await classAccuracy(logits, tensor([0, 1, 1], [3], "int32")).data()); // two of three
