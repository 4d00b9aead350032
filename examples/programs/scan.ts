// One selective scan, and the gradient of its sum by its inputs.
import { pickBackend, readFloats, registerAllBackends, selectiveScan, sum, tensor, valueAndGrads } from "statespace";

registerAllBackends();
await pickBackend(["wasm", "cpu"]);
const [u, delta] = [tensor([1, 2, 3, 4], [1, 4, 1]), tensor([0.5, 0.5, 1, 1], [1, 4, 1])]; // [b, l, d]
const [A, B, C] = [tensor([-1, -2], [1, 2]), tensor(Array(8).fill(1), [1, 4, 2]), tensor(Array(8).fill(1), [1, 4, 2])];
const { value, grads } = valueAndGrads(() => sum(selectiveScan({ u, delta, A, B, C }).y), [u, delta]);
console.log("sum of y", await readFloats(value));
for (const gradient of grads) if (gradient !== null) console.log("gradient", await readFloats(gradient));
