import { cpuBackend, setBackend, tensor } from "statespace";
import { fromHalves, toHalves } from "@statespace/core/ops";

await setBackend(cpuBackend());
const words = toHalves(tensor([1, 0.1, -2, 3]));
console.log(words.shape, await fromHalves(words).data()); // [2]; 1 0.0999755859375 -2 3
