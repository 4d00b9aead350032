import { cpuBackend, readInts, setBackend, tensor } from "statespace";
import { cast, gather, oneHot, reverse, segmentSum, tile, topK } from "@statespace/core/ops";

await setBackend(cpuBackend());
const ids = tensor([2, 0, 2], [3], "int32");
console.log(await gather(tensor([10, 20, 30]), ids).data()); // 30 10 30
console.log(await oneHot(ids, 3).data(), await segmentSum(tensor([1, 2, 3]), ids, 3).data()); // the second: 2 0 4
console.log(await reverse(tensor([1, 2, 3]), 0).data(), await tile(tensor([1, 2]), [2]).data());
console.log(await topK(tensor([3, 9, 5]), 2).data(), await readInts(cast(tensor([1.9]), "int32"))); // 9 5; 1
