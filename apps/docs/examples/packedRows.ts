import { cpuBackend, setBackend, tensor } from "statespace";
import { causalConv1d, sequenceNumber } from "@statespace/core/ops";

await setBackend(cpuBackend());
const seqIdx = tensor([0, 0, 1, 1, 0, 0], [1, 6], "int32"); // an id that comes back is another sequence
console.log(await sequenceNumber(seqIdx).data()); // 0 0 1 1 2 2
const x = tensor([1, 2, 3, 4, 5, 6], [1, 6, 1]);
const { y } = causalConv1d({ x, weight: tensor([1, 1], [1, 2]), seqIdx });
console.log(await y.data()); // sums of neighbours of one sequence: 1 3 3 7 5 11
