import { cpuBackend, packWeight, Rng, setBackend, tensor } from "statespace";
import { linear, unpackWeight } from "@statespace/core/ops";

await setBackend(cpuBackend());
const values = Float32Array.from(new Rng(1).normals(2 * 32));
const weight = packWeight(values, [2, 32], "q8"); // 1.06 bytes a number
const back = await unpackWeight(weight).data();
console.log("largest error", Math.max(...values.map((value, i) => Math.abs(value - back[i]!))));
console.log(await linear({ x: tensor(Array(32).fill(1), [1, 32]), weight }).y.data());
