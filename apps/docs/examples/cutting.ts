import { cpuBackend, pad, setBackend, slice, tensor } from "statespace";
import { sliceAxis } from "@statespace/core/ops";

await setBackend(cpuBackend());
const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
console.log(await slice(x, [0, 1], [2, -1]).data()); // columns 1 to the end: 2 3 5 6
console.log(await sliceAxis(x, 0, 1, 1).data()); // the second row: 4 5 6
console.log(await pad(tensor([1, 2]), [[1, 2]]).data()); // 0 1 2 0 0
