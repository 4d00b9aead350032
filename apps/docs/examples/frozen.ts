import { cpuBackend, ones, setBackend, sum, tensor, valueAndGrads } from "statespace";
import { expertLinearFrozen, linearFrozen } from "@statespace/core/ops";

await setBackend(cpuBackend());
const [x, weight] = [ones([1, 2]), tensor([1, 2, 3, 4], [2, 2])];
const { grads } = valueAndGrads(() => sum(linearFrozen({ x, weight })), [x]);
console.log(await grads[0]!.data()); // 4 6; of the weight none is computed, so that it may be packed
const experts = tensor([1, 0, 0, 1, 2, 0, 0, 2], [2, 2, 2]);
console.log(await expertLinearFrozen({ x, weight: experts, ids: tensor([1], [1, 1], "int32") }).data()); // 2 2
