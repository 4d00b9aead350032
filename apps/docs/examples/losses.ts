import { cpuBackend, setBackend, tensor } from "statespace";
import { crossEntropy, meanCrossEntropy } from "@statespace/core/ops";

await setBackend(cpuBackend());
const logits = tensor([2, 0, 0, 0, 0, 0], [2, 3]);
const targets = tensor([0, -100], [2], "int32"); // the second is ignored
console.log(await crossEntropy({ logits, targets }).losses.data(), await meanCrossEntropy(logits, targets).data());
