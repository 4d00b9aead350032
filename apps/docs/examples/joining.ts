import { concat, cpuBackend, setBackend, split, stack, tensor } from "statespace";

await setBackend(cpuBackend());
const [x, y] = [tensor([1, 2]), tensor([3, 4])];
console.log(await concat([x, y]).data(), stack([x, y]).shape); // 1 2 3 4; [2, 2]
for (const part of split(tensor([1, 2, 3, 4, 5]), [2, 3])) console.log(await part.data()); // 1 2; 3 4 5
