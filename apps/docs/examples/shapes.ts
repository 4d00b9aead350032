import { broadcastTo, cpuBackend, reshape, setBackend, tensor, transpose } from "statespace";

await setBackend(cpuBackend());
const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
console.log(await transpose(x).data()); // 1 4 2 5 3 6
console.log(reshape(x, [3, -1]).shape); // [3, 2]
console.log(await broadcastTo(tensor([1, 2, 3]), [2, 3]).data()); // 1 2 3 1 2 3
