import { argMax, cpuBackend, cumsum, max, mean, min, readInts, setBackend, softmax, tensor } from "statespace";

await setBackend(cpuBackend());
const x = tensor([1, 5, 2, 0, 3, 9], [2, 3]);
console.log(await max(x, 1).data(), await min(x, 1).data(), await mean(x, 1).data());
console.log(await readInts(argMax(x, 1)), await cumsum(x, 1).data()); // 1 2; 1 6 8 0 3 12
console.log(await softmax(tensor([0, 0])).data()); // 0.5 0.5
