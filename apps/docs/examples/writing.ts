import { cpuBackend, setBackend, tensor, writeInto } from "statespace";

await setBackend(cpuBackend());
const x = tensor([0, 0, 0]);
writeInto(x, Float32Array.of(1, 2, 3)); // where it lies: a captured graph that reads x sees it
console.log(await x.data()); // 1 2 3
