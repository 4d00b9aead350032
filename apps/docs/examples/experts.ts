import { cpuBackend, ones, setBackend, tensor } from "statespace";
import { expertLinear } from "@statespace/core/ops";

await setBackend(cpuBackend());
const weight = tensor([1, 0, 0, 1, 2, 0, 0, 2, 3, 0, 0, 3], [3, 2, 2]); // three experts: once, twice, three times
const ids = tensor([0, 2, 1, 1], [2, 2], "int32"); // two of them for each of two tokens
console.log(await expertLinear({ x: ones([2, 2]), weight, ids }).y.data()); // 1 1 3 3, 2 2 2 2
