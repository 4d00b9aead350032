import { cpuBackend, setBackend } from "statespace";
import { load } from "@statespace/models";

await setBackend(cpuBackend()); // this `load` starts no backend: the one that is set takes the weights
const lm = await load("./model");
console.log(await lm.complete("The state", { maxNewTokens: 4, greedy: true }));
