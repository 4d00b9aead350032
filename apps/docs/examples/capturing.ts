import { cpuBackend, mul, setBackend, tensor, writeInto } from "statespace";
import { capture } from "@statespace/core/backend";

await setBackend(cpuBackend());
const x = tensor([1, 2, 3]);
const graph = capture(() => ({ y: mul(x, 2) })); // runs once
writeInto(x, Float32Array.of(4, 5, 6));
graph.replay(); // the launches again, on the same memory
console.log(await graph.result.y.data()); // 8 10 12
graph.dispose();
